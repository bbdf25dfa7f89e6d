import pMap from "p-map";
import type { AttemptRef, SegmentRef } from "../model/job.ts";
import type { LogSegments } from "../ports/kept-logs.ts";

export type SealLogDeps = { readonly segments: LogSegments };

/** `missing`: it has expired, or was never there. `corrupt`: it is not what the worker uploaded. */
export type SealedLog = { readonly kind: "sealed" | "missing" | "corrupt"; readonly bytes: number };

/** Seals one segment of a log, whatever has become of its job: what a program wrote is kept. Doing it twice is harmless. */
export async function sealLog({ segments }: SealLogDeps, segment: SegmentRef): Promise<SealedLog> {
  const sealed = await segments.seal(segment);
  return sealed.kind === "sealed" ? sealed : { kind: sealed.kind, bytes: 0 };
}

const concurrency = 4;

/**
 * Seals what lies unsealed of an attempt's logs, because the event that said so was lost or is late. Called when the attempt's manifest
 * has arrived, which comes after its first member's whole log. Returns how many there were.
 */
export async function sweepLog({ segments }: SealLogDeps, attempt: AttemptRef): Promise<number> {
  const unsealed = await segments.unsealed(attempt);
  await pMap(unsealed, (segment) => segments.seal(segment), { concurrency });
  return unsealed.length;
}
