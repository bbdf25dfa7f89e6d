import type { Log } from "../../ports/log.ts";
import type { Ports } from "../../ports/ports.ts";
import { once } from "./once.ts";

type Instances = { readonly instances: Ports["instances"]; readonly fleet: Pick<Ports["fleet"], "terminate"> };

/** Lists and ends the instances that have the deployment's name. Most calls of a function need neither. */
export function instancesOf({ name, log }: { readonly name: string; readonly log: Log }): Instances {
  const ec2 = once(async () => {
    const [{ endInstances }, { ec2TaggedInstances }, { ec2Client }] = await Promise.all([
      import("../../aws/ec2/fleet-instances.ts"),
      import("../../aws/ec2/tagged-instances.ts"),
      import("../../aws/clients/ec2.ts"),
    ]);
    const client = ec2Client();
    return {
      tagged: ec2TaggedInstances({ ec2: client, name, log }),
      terminate: (ids: readonly string[]) => endInstances(client, ids, log),
    };
  });
  return {
    instances: { list: async () => (await ec2()).tagged.list() },
    fleet: { terminate: async (ids) => (await ec2()).terminate(ids) },
  };
}
