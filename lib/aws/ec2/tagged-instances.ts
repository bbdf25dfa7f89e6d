import { DescribeInstancesCommand, type EC2Client, type Instance } from "@aws-sdk/client-ec2";
import type { TaggedInstance } from "../../model/tagged-instance.ts";
import type { Log } from "../../ports/log.ts";
import type { TaggedInstances } from "../../ports/orphans.ts";
import { allPages } from "../pages.ts";
import { launchTag, nameTag, poolTag } from "./fleet-request.ts";

/** All states except terminated. Stopped instances count, because they can be started again. */
const states = ["pending", "running", "stopping", "stopped", "shutting-down"];

/** Lists the deployment's instances. `log` receives a line if that fails. @default none */
export const ec2TaggedInstances = (of: { ec2: Pick<EC2Client, "send">; name: string; log?: Log }): TaggedInstances => ({
  async list() {
    const { ec2, name, log } = of;
    try {
      const found = await allPages<Instance>(async (NextToken) => {
        const response = await ec2.send(
          new DescribeInstancesCommand({
            Filters: [
              { Name: `tag:${nameTag}`, Values: [name] },
              { Name: "instance-state-name", Values: states },
            ],
            MaxResults: 1000,
            ...(NextToken ? { NextToken } : {}),
          }),
        );
        return { items: (response.Reservations ?? []).flatMap(({ Instances }) => Instances ?? []), next: response.NextToken };
      });
      return found.flatMap(taggedInstance);
    } catch (error) {
      log?.({ level: "error", message: "listing the deployment's instances failed", error });
      return undefined;
    }
  },
});

function taggedInstance({ InstanceId, LaunchTime, State, Tags = [] }: Instance): TaggedInstance[] {
  if (InstanceId === undefined || LaunchTime === undefined) return [];
  const tag = (name: string): string | undefined => Tags.find(({ Key }) => Key === name)?.Value;
  return [
    {
      id: InstanceId,
      launch: tag(launchTag),
      pool: tag(poolTag),
      launchedAtMs: LaunchTime.getTime(),
      ending: State?.Name === "shutting-down",
    },
  ];
}
