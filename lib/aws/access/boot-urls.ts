import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { FleetError } from "../../model/fleet-error.ts";
import type { BootDownloads } from "../../ports/job-access.ts";

const expiresIn = 15 * 60;

/** Presigns the boot script's downloads, so that an instance needs no rights to any bucket. Each asset is named `BUCKET/KEY`. */
export const s3BootDownloads = (s3: S3Client, assets: { readonly worker: string; readonly node: string }): BootDownloads => {
  const url = (asset: string): Promise<string> => getSignedUrl(s3, new GetObjectCommand(objectOf(asset)), { expiresIn });
  return {
    async urls() {
      const [workerUrl, nodeUrl] = await Promise.all([url(assets.worker), url(assets.node)]);
      return { workerUrl, nodeUrl };
    },
  };
};

function objectOf(asset: string): { Bucket: string; Key: string } {
  const slash = asset.indexOf("/");
  if (slash < 1 || slash === asset.length - 1) throw new FleetError("asset", `${asset} is not BUCKET/KEY`);
  return { Bucket: asset.slice(0, slash), Key: asset.slice(slash + 1) };
}
