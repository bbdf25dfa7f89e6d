import pMap from "p-map";
import type { AttemptRef, SegmentRef } from "../model/job.ts";
import type { Ports } from "../ports/ports.ts";

export type SealLogDeps = Pick<Ports, "segments">;

/** `missing`: the segment has expired or never existed. `corrupt`: it is not what the worker uploaded. */
export type SealedLog = { readonly kind: "sealed" | "missing" | "corrupt"; readonly bytes: number };

/** Seals one segment of a log, whatever happened to its job, because a program's output is always kept. Sealing it twice is harmless. */
export async function sealLog({ segments }: SealLogDeps, segment: SegmentRef): Promise<SealedLog> {
  const sealed = await segments.seal(segment);
  return sealed.kind === "sealed" ? sealed : { kind: sealed.kind, bytes: 0 };
}

const concurrency = 4;

/**
 * Seals the segments of an attempt's logs that are still unsealed because an event was lost or is late. It is called when the attempt's
 * manifest arrives, which is uploaded after the first member's whole log. Returns the number of segments.
 */
export async function sweepLog({ segments }: SealLogDeps, attempt: AttemptRef): Promise<number> {
  const unsealed = await segments.unsealed(attempt);
  await pMap(unsealed, (segment) => segments.seal(segment), { concurrency });
  return unsealed.length;
}
