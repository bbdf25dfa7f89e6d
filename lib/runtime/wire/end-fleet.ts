import { setTimeout as pause } from "node:timers/promises";
import { ec2Client } from "../../aws/clients/ec2.ts";
import { endInstances } from "../../aws/ec2/fleet-instances.ts";
import { ec2TaggedInstances } from "../../aws/ec2/tagged-instances.ts";
import type { EndFleetDeps } from "../../flows/end-fleet.ts";
import { type FunctionLogger, logTo } from "../logger.ts";

export const endFleetWiring = (of: { name: string; logger: FunctionLogger }): EndFleetDeps => {
  const ec2 = ec2Client();
  const log = logTo(of.logger);
  return {
    instances: ec2TaggedInstances({ ec2, name: of.name, log }),
    fleet: { terminate: (ids) => endInstances(ec2, ids, log) },
    pause: (ms) => pause(ms),
    now: Date.now,
    log,
  };
};
