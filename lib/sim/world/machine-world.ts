import type { NodeCall, NodeResponse } from "../../../events/node-call.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { type AttemptRef, jobName } from "../../model/job.ts";
import type { Launch } from "../../model/launch.ts";
import type { Outages } from "../faults/outages.ts";
import { type MemoryArtifacts, manifestOf } from "../memory/artifacts.ts";
import type { MemoryShardStore } from "../memory/datasets.ts";
import type { MemoryOutboxes } from "../memory/islands/outboxes.ts";
import type { SimEc2 } from "./ec2.ts";
import { type Handlers, instanceRoleId } from "./handlers.ts";
import { type LeftEnd, type MachineWorld, SimMachine } from "./machine.ts";
import type { SimProgram } from "./program.ts";
import type { Scenario } from "./scenario.ts";
import type { SimQueues } from "./wires.ts";
import { contentOf, type Workload } from "./workload.ts";

/** The parts of the world that machines meet. */
type MachineParts = Pick<MachineWorld, "clock" | "faults" | "note" | "emit" | "chance"> & {
  readonly outages: Outages;
  readonly store: MemoryShardStore;
  readonly workload: Workload;
  readonly artifacts: MemoryArtifacts;
  readonly outboxes: MemoryOutboxes;
  readonly ec2: SimEc2;
  readonly handlers: Handlers;
  readonly queues: Pick<SimQueues, "seal" | "outboxes">;
};

/** Returns what a machine is connected to: the node function, the bucket, and its own power switch. */
function machineWorldOf(world: MachineParts): MachineWorld {
  const { clock, faults, note, emit, chance, outages, store, workload, ec2, handlers } = world;
  return {
    ...{ clock, faults, note, emit, chance },
    programOf: (ref: AttemptRef): SimProgram => workload.programs.get(jobName(ref)) ?? { seconds: 1, failures: 0, files: 0 },
    readList: (key: string) => store.sizeOf(key),
    upload: (ref: AttemptRef, files: number): boolean => upload(world, ref, files),
    leave: (ref: AttemptRef, left: LeftEnd): boolean => leave(world, ref, left),
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

/** Boots the machine of an instance, or the same one again if the instance was stopped and started. */
export function bootMachine(
  world: MachineParts & { readonly machines: Map<string, SimMachine>; readonly scenario: Scenario },
  launched: Launched,
): void {
  const { machines, ec2, scenario, chance } = world;
  const { id, launch } = launched;
  const known = machines.get(id);
  if (known) {
    ec2.fleet.failing.delete(id);
    known.powerOn();
    return;
  }
  const type = ec2.fleet.instances.get(id)?.instanceType;
  const gpus = scenario.types.find(({ name }) => name === type)?.gpus ?? 0;
  const its = machineWorldOf({ ...world, chance: chance.fork(`machine ${machines.size}`) });
  const machine = new SimMachine(its, { id, launch, gpus, number: machines.size + 1 });
  machines.set(id, machine);
  const notice = ec2.events.notices.get(id);
  if (notice) machine.warn(notice);
  machine.boot();
}

type Launched = { readonly id: string; readonly launch: Launch };

function upload(world: MachineParts, ref: AttemptRef, files: number): boolean {
  if (world.faults.strikes("s3.upload-fails", jobName(ref))) return false;
  world.artifacts.upload(ref, filesOf(ref, files));
  uploaded(world, ref, Object.keys(filesOf(ref, files)));
  return true;
}

const filesOf = (ref: AttemptRef, files: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: files }, (_, n) => [`file-${n + 1}`, contentOf(ref, n)]));

function uploaded({ faults, emit, queues }: MachineParts, attempt: AttemptRef, paths: readonly string[]): void {
  emit({ kind: "uploaded", attempt, paths });
  if (!faults.strikes("s3.lost-event", jobName(attempt))) queues.seal.send(attempt);
}

/** Leaves an outbox on S3. The machine has lost its network to us, but not to S3. Returns false if that fails. */
function leave(world: MachineParts, { team, job, attempt }: AttemptRef, { instance, process, report, files }: LeftEnd): boolean {
  const { faults, emit, outboxes, queues } = world;
  if (faults.strikes("s3.upload-fails", jobName({ team, job }))) return false;
  const outbox = { role: instanceRoleId, node: instance, team, job, attempt };
  const contents = files === undefined ? {} : filesOf(outbox, files);
  outboxes.leave(outbox, {
    process,
    report,
    files: Object.fromEntries(Object.entries(contents).map(([path, text]) => [path, Buffer.from(text)])),
    ...(files !== undefined && { manifest: manifestOf({ team, job, attempt }, contents) }),
    delivered: () => uploaded(world, { team, job, attempt }, Object.keys(contents)),
  });
  emit({ kind: "left", outbox, isGood: report.phase === "uploaded" || (report.phase === "exited" && report.exitCode === 0) });
  if (!faults.strikes("s3.lost-event", jobName({ team, job }))) queues.outboxes.send(outbox);
  return true;
}
