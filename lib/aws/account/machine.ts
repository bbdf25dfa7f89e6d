import {
  DescribeAvailabilityZonesCommand,
  DescribeImagesCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeVpcsCommand,
  type EC2Client,
} from "@aws-sdk/client-ec2";
import { FleetError } from "../../model/fleet-error.ts";
import { awsErrorKind } from "../errors.ts";
import { allPages } from "../pages.ts";

/** `image`: the id of an image, or `resolve:ssm:PARAMETER`, which EC2 reads at each launch. */
export type NodeTemplate = { readonly image: string; readonly userData: string };

export type MachineImage = { readonly id: string; readonly architecture: string; readonly state: string; readonly createdAtMs: number };

/** Returns the newest version of a launch template, which is the one that launches use. */
export async function nodeTemplate(ec2: Pick<EC2Client, "send">, id: string): Promise<NodeTemplate> {
  const { LaunchTemplateVersions } = await ec2.send(
    new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: id, Versions: ["$Latest"] }),
  );
  const data = LaunchTemplateVersions?.[0]?.LaunchTemplateData;
  if (data?.ImageId === undefined) throw new FleetError("no-image", `the launch template ${id} names no image`);
  return { image: data.ImageId, userData: Buffer.from(data.UserData ?? "", "base64").toString("utf8") };
}

/** Returns an image, or undefined if there is none of this id that the account may use. */
export async function machineImage(ec2: Pick<EC2Client, "send">, id: string): Promise<MachineImage | undefined> {
  try {
    const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [id] }));
    const [image] = Images ?? [];
    if (!image) return undefined;
    const { Architecture = "unknown", State = "unknown", CreationDate = "" } = image;
    return { id, architecture: Architecture, state: State, createdAtMs: Date.parse(CreationDate) };
  } catch (error) {
    if (awsErrorKind(error) === "missing") return undefined;
    throw error;
  }
}

/** Returns the availability zones that the account may use without opting in, in the order of their names. */
export async function zonesOfRegion(ec2: Pick<EC2Client, "send">): Promise<readonly string[]> {
  const Filters = [
    { Name: "zone-type", Values: ["availability-zone"] },
    { Name: "state", Values: ["available"] },
  ];
  const { AvailabilityZones = [] } = await ec2.send(new DescribeAvailabilityZonesCommand({ Filters }));
  return AvailabilityZones.flatMap(({ ZoneName }) => ZoneName ?? []).toSorted();
}

export async function vpcCount(ec2: Pick<EC2Client, "send">): Promise<number> {
  const vpcs = await allPages(async (NextToken) => {
    const page = await ec2.send(new DescribeVpcsCommand({ NextToken }));
    return { items: page.Vpcs, next: page.NextToken };
  });
  return vpcs.length;
}
