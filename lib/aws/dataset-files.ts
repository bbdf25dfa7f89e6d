import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { DatasetRef } from "../model/dataset.ts";

/** Puts files where a team's datasets lie: below `TEAM/NAME/` of the datasets bucket. */
export type DatasetFiles = {
  /** The address by which such a dataset is added. */
  source(of: DatasetRef): string;
  put(of: DatasetRef, file: { readonly path: string; readonly body: Uint8Array }): Promise<void>;
};

export const s3DatasetFiles = ({ s3, bucket }: { readonly s3: Pick<S3Client, "send">; readonly bucket: string }): DatasetFiles => ({
  source: ({ team, dataset }) => `s3://${bucket}/${team}/${dataset}/`,
  async put({ team, dataset }, { path, body }) {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${team}/${dataset}/${path}`, Body: body }));
  },
});
