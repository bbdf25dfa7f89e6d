import type { FetchedDataset } from "../dataset.ts";
import type { Node } from "../node.ts";
import { type GpuSample, isAnyBusy, type NodeTelemetry } from "../telemetry.ts";

/** A heartbeat is written at least this often while a worker calls. A call in between is written only if it has news. */
export const heartbeatEveryMs = 60_000;
/** A worker calls every 10 s at least. If a heartbeat is older than this, three calls are missing, and the node gets no new work. */
export const unheardAfterMs = heartbeatEveryMs + 30_000;
/** A node whose last heartbeat is older than this is shown as silent. Nothing else depends on that. */
export const silentAfterMs = 150_000;

/**
 * The place of a call among all calls of its node, without a clock. `session`: counts the processes of the node's worker, because each
 * of them asks for a number before its first report. `sequence`: counts the calls of the session.
 */
export type CallPlace = { readonly session: number; readonly sequence: number };

export const maxSession = 999_999;
export const maxSequence = 999_999_999;

/** Returns a number that is larger for a later call of the same node. */
export const callNumber = ({ session, sequence }: CallPlace): number => session * (maxSequence + 1) + sequence;

/**
 * Returns the place of a call among the recorded ones. `next`: no later call is recorded. `overtaken`: a later call of its session is.
 * `no-session`: its process has not the newest session, because another process has begun since.
 */
export function placeOf(node: Pick<Node, "session" | "call">, call: CallPlace): "next" | "overtaken" | "no-session" {
  if (call.session !== (node.session ?? 0)) return "no-session";
  return callNumber(call) < (node.call ?? 0) ? "overtaken" : "next";
}

/** A worker's call: when it was handled, its place, and what it reports about the instance. */
export type Sign = CallPlace & {
  readonly atMs: number;
  readonly telemetry?: NodeTelemetry | undefined;
};

/** What a heartbeat sets. Values that are undefined stay as they were. */
export type Heartbeat = Pick<Node, "address" | "gpus" | "gpusAtMs" | "gpusBusyAtMs"> & {
  readonly call: number;
  readonly lastSeenMs: number;
};

/** Returns the heartbeat that a call writes, or undefined if the last one is recent and the call has no news. */
export function heartbeatOf(node: Node, sign: Sign): Heartbeat | undefined {
  if (!isDue(node, sign)) return undefined;
  const { atMs, telemetry: { address, gpus } = {} } = sign;
  return {
    call: callNumber(sign),
    lastSeenMs: atMs,
    ...(address !== undefined && { address }),
    ...(gpus && { gpus, gpusAtMs: atMs }),
    // GPUs that were busy at the last heartbeat were so until lately, because the first call that reports otherwise is news.
    ...(gpus && (isAnyBusy(gpus) || isAnyBusy(node.gpus ?? [])) && { gpusBusyAtMs: atMs }),
  };
}

function isDue(node: Node, { atMs, telemetry: { address, gpus } = {} }: Sign): boolean {
  // A heartbeat from the future was written by a wrong clock. It must not keep later ones from being written.
  if (node.lastSeenMs === undefined || Math.abs(atMs - node.lastSeenMs) >= heartbeatEveryMs) return true;
  if (address !== undefined && address !== node.address) return true;
  return gpus !== undefined && stateOf(gpus) !== stateOf(node.gpus ?? []);
}

/** Returns what about the GPUs is news at once: which there are, whether one is busy, and what is wrong with them. */
const stateOf = (gpus: readonly GpuSample[]): string =>
  JSON.stringify([isAnyBusy(gpus), ...gpus.map(({ index, eccUncorrected = 0, throttled = [] }) => [index, eccUncorrected, throttled])]);

/** Returns the datasets that a call reports, or undefined if they are as before. */
export function newDatasets(node: Pick<Node, "datasets">, { telemetry }: Sign): readonly FetchedDataset[] | undefined {
  const { datasets } = telemetry ?? {};
  return datasets && namesOf(datasets) !== namesOf(node.datasets ?? []) ? datasets : undefined;
}

/** Returns for how long the worker of a node that works has been silent, ms; 0 for a node that does not work, or whose worker never called. */
export const silentForMs = ({ state, lastSeenMs }: Pick<Node, "state" | "lastSeenMs">, nowMs: number): number =>
  (state === "ready" || state === "draining") && lastSeenMs !== undefined ? nowMs - lastSeenMs : 0;

/** Returns for how long a node that works had not been heard before a call, if it was so long that it got no new work; 0 otherwise. */
export function unheardForMs(before: Pick<Node, "state" | "lastSeenMs">, atMs: number): number {
  const forMs = silentForMs(before, atMs);
  return forMs >= unheardAfterMs ? forMs : 0;
}

/** Reports whether a node that works has missed two heartbeats. */
export const isSilent = (node: Pick<Node, "state" | "lastSeenMs">, nowMs: number): boolean => silentForMs(node, nowMs) > silentAfterMs;

/** Returns since when EC2 does not know a node's instance. */
export const missingSince = ({ missingSinceMs, lastSeenMs }: Pick<Node, "missingSinceMs" | "lastSeenMs">): number | undefined =>
  sinceLastCall(missingSinceMs, lastSeenMs);

/** Returns since when a silent node fails EC2's status checks. */
export const impairedSince = ({ impairedSinceMs, lastSeenMs }: Pick<Node, "impairedSinceMs" | "lastSeenMs">): number | undefined =>
  sinceLastCall(impairedSinceMs, lastSeenMs);

/** What was noted about an instance before its worker last called does not count. */
const sinceLastCall = (notedMs = 0, lastSeenMs = 0): number | undefined => (notedMs > lastSeenMs ? notedMs : undefined);

const namesOf = (datasets: readonly FetchedDataset[]): string =>
  JSON.stringify(datasets.map(({ team, dataset, version, shards, bytes }) => [team, dataset, version, shards, bytes]));
