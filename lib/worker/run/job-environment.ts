import type { Order } from "../../../events/node-call.ts";
import { artifactPath, type JobSpec } from "../../model/job.ts";

export type JobPlace = {
  readonly work: string;
  readonly tmp: string;
  /** The folder of its datasets; undefined if it has none. */
  readonly data?: string | undefined;
  /** Indexes of the node's GPUs that the attempt may use. */
  readonly gpus: readonly number[];
};

type RunOrder = Extract<Order, { kind: "run" }>;
export type EnvironmentOrder = Pick<RunOrder, "team" | "job" | "attempt" | "gang"> & { readonly spec: Pick<JobSpec, "env" | "artifacts"> };

/** The variable that identifies an attempt's processes, even in other process groups. Its value is the working directory on the node. */
export const placeVariable = "FLEETWRIGHT_FOLDER";

/**
 * Returns the whole environment of a job's program. Of the worker's own environment it contains only the search path: it must not contain
 * AWS variables or credentials. The job cannot override the variables that Fleetwright sets about the attempt.
 */
export const jobEnvironment = (order: EnvironmentOrder, place: JobPlace & { readonly path: string }): Record<string, string> => ({
  PATH: place.path,
  HOME: place.work,
  TMPDIR: place.tmp,
  LANG: "C.UTF-8",
  ...liveOutput,
  ...order.spec.env,
  ...aboutAttempt(order, place.data),
  [placeVariable]: place.work,
  CUDA_DEVICE_ORDER: "PCI_BUS_ID",
  CUDA_VISIBLE_DEVICES: place.gpus.join(","),
});

/** Without this, Python buffers output that does not go to a terminal, so it would appear late and be lost in a crash. */
export const liveOutput: Readonly<Record<string, string>> = { PYTHONUNBUFFERED: "1" };

/** Returns the variables about the attempt, for processes and containers alike. */
export const aboutAttempt = (order: EnvironmentOrder, data: string | undefined): Record<string, string> => ({
  FLEETWRIGHT_TEAM: order.team,
  FLEETWRIGHT_JOB: order.job,
  FLEETWRIGHT_ATTEMPT: String(order.attempt),
  /** The paths that are kept as artifacts, one per line. */
  FLEETWRIGHT_ARTIFACTS: order.spec.artifacts.map(artifactPath).join("\n"),
  ...(data === undefined ? {} : { FLEETWRIGHT_DATA: data }),
  ...(order.gang ? aboutGang(order.gang) : {}),
});

/**
 * Returns the variables that PyTorch's `env://` rendezvous reads (torch.distributed, "Environment variable initialization"), for one
 * process per node: a process's rank is its node's rank, and the world size is the size of the gang. A program that starts one process
 * per GPU should pass them to its launcher: torchrun --nnodes=$WORLD_SIZE --node-rank=$NODE_RANK --master-addr=$MASTER_ADDR.
 */
const aboutGang = ({ rank, size, master }: NonNullable<RunOrder["gang"]>): Record<string, string> => ({
  RANK: String(rank),
  NODE_RANK: String(rank),
  WORLD_SIZE: String(size),
  MASTER_ADDR: master.address,
  MASTER_PORT: String(master.port),
  FLEETWRIGHT_RANK: String(rank),
  FLEETWRIGHT_NODES: String(size),
});
