import type { Order } from "../../../events/node-call.ts";
import { artifactPath, type JobSpec } from "../../model/job.ts";

export type JobPlace = {
  readonly work: string;
  readonly tmp: string;
  /** Where its datasets lie; absent for none. */
  readonly data?: string | undefined;
  /** Indexes of the node's GPUs that the attempt may use. */
  readonly gpus: readonly number[];
};

type RunOrder = Extract<Order, { kind: "run" }>;
export type EnvironmentOrder = Pick<RunOrder, "team" | "job" | "attempt" | "gang"> & { readonly spec: Pick<JobSpec, "env" | "artifacts"> };

/** The variable by which the processes of an attempt are known, wherever they move: its working directory on the node. */
export const placeVariable = "FLEETWRIGHT_FOLDER";

/**
 * The whole environment of a job's program. Nothing of the worker's own gets in but the search path: no AWS variable,
 * no credentials. What Fleetwright says about the attempt cannot be overridden by the job.
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

/** Python holds output back while it is not a terminal's: nothing would be seen of it for long, and all of it lost with a crash. */
export const liveOutput: Readonly<Record<string, string>> = { PYTHONUNBUFFERED: "1" };

/** What Fleetwright says of the attempt, wherever it runs. */
export const aboutAttempt = (order: EnvironmentOrder, data: string | undefined): Record<string, string> => ({
  FLEETWRIGHT_TEAM: order.team,
  FLEETWRIGHT_JOB: order.job,
  FLEETWRIGHT_ATTEMPT: String(order.attempt),
  /** The paths that are kept when the job succeeds, one a line. */
  FLEETWRIGHT_ARTIFACTS: order.spec.artifacts.map(artifactPath).join("\n"),
  ...(data === undefined ? {} : { FLEETWRIGHT_DATA: data }),
  ...(order.gang ? aboutGang(order.gang) : {}),
});

/**
 * What PyTorch's `env://` rendezvous reads (torch.distributed, "Environment variable initialization"), for one process a
 * node: so a process's rank is its node's, and the world is as large as the gang. A program that starts one process a GPU
 * gives these to its launcher: torchrun --nnodes=$WORLD_SIZE --node-rank=$NODE_RANK --master-addr=$MASTER_ADDR.
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
