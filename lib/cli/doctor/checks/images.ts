import type { MachineImage } from "../../../aws/account/machine.ts";
import { anError, aWarning, type Finding } from "../findings/finding.ts";

const dayMs = 86_400_000;
/** Pinned images miss the driver's and the system's security updates. */
const oldDays = 90;

/** The image that nodes of these pools boot from. */
export type NodeImage = {
  readonly pools: readonly string[];
  /** The public parameter that names the newest image; undefined if the launch template pins one. */
  readonly parameter: string | undefined;
  /** Undefined if the parameter, or the image that it names, does not exist. */
  readonly image: MachineImage | undefined;
  /** Set if the age of the image means nothing, because nodes boot from none. */
  readonly isAgeless?: boolean | undefined;
};

/** Checks an image that exists, fits the instances, and is not old. `architecture`: that of the pools' instances. */
export function imageFindings(
  { pools, parameter, image, isAgeless = false }: NodeImage,
  { architecture, nowMs, region }: { architecture: string; nowMs: number; region: string },
): readonly Finding[] {
  const where = `pool ${pools.join(", ")}`;
  const deploy = "npx cdk deploy, which writes the launch templates again";
  if (!image) {
    if (parameter === undefined) return [anError("images.missing", `${where}: the image of the launch template does not exist`, deploy)];
    const look = `aws ssm get-parameter --name ${parameter} --region ${region}, and choose a region that has the image if it has none`;
    return [anError("images.missing", `${where}: no image is found by the parameter ${parameter}`, look)];
  }
  if (image.state !== "available") return [anError("images.state", `${where}: the image ${image.id} is ${image.state}`, deploy)];
  if (image.architecture !== architecture)
    return [
      anError(
        "images.architecture",
        `${where}: the image ${image.id} is made for ${image.architecture}, and the instances are ${architecture}`,
        deploy,
      ),
    ];
  const days = Math.floor((nowMs - image.createdAtMs) / dayMs);
  if (parameter !== undefined || isAgeless || !(days > oldDays)) return [];
  return [aWarning("images.old", `${where}: the image ${image.id} is pinned, and ${days} days old`, deploy)];
}
