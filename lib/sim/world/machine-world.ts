import type { NodeCall, NodeResponse } from "../../../events/node-call.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { type AttemptRef, jobName } from "../../model/job.ts";
import type { Outages } from "../faults/outages.ts";
import type { MemoryArtifacts } from "../memory/artifacts.ts";
import type { MemoryShardStore } from "../memory/datasets.ts";
import type { SimEc2 } from "./ec2.ts";
import type { Handlers } from "./handlers.ts";
import type { MachineWorld } from "./machine.ts";
import type { SimProgram } from "./program.ts";
import type { SimQueues } from "./wires.ts";
import { contentOf, type Workload } from "./workload.ts";

/** The parts of the world that machines meet. */
type MachineParts = Pick<MachineWorld, "clock" | "faults" | "note" | "emit" | "chance"> & {
  readonly outages: Outages;
  readonly store: MemoryShardStore;
  readonly workload: Workload;
  readonly artifacts: MemoryArtifacts;
  readonly ec2: SimEc2;
  readonly handlers: Handlers;
  readonly seal: SimQueues["seal"];
};

/** Returns what a machine is connected to: the node function, the bucket, and its own power switch. */
export function machineWorldOf(world: MachineParts): MachineWorld {
  const { clock, faults, note, emit, chance, outages, store, workload, ec2, handlers } = world;
  return {
    ...{ clock, faults, note, emit, chance },
    programOf: (ref: AttemptRef): SimProgram => workload.programs.get(jobName(ref)) ?? { seconds: 1, failures: 0, files: 0 },
    readList: (key: string) => store.sizeOf(key),
    upload: (ref: AttemptRef, files: number): boolean => upload(world, ref, files),
    callNode: async (instance: string, call: NodeCall): Promise<NodeResponse> => {
      if (outages.isOut("network")) throw new FleetError("node-call", "there is no network", { retry: true });
      const response = await handlers.node(instance, call);
      if (response.kind === "orders") for (const order of response.orders) emit({ kind: "ordered", instance, order });
      return response;
    },
    hung: (instance: string) => void ec2.fleet.failing.add(instance),
    shutDown: (instance: string) => ec2.end(instance),
  };
}

function upload({ faults, artifacts, emit, seal }: MachineParts, ref: AttemptRef, files: number): boolean {
  if (faults.strikes("s3.upload-fails", jobName(ref))) return false;
  const paths = Array.from({ length: files }, (_, n) => `file-${n + 1}`);
  artifacts.upload(ref, Object.fromEntries(paths.map((path, n) => [path, contentOf(ref, n)])));
  emit({ kind: "uploaded", attempt: ref, paths });
  if (!faults.strikes("s3.lost-event", jobName(ref))) seal.send(ref);
  return true;
}
