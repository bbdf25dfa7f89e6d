/**
 * When a silent server means that this node's attempts are its own no more.
 *
 * A lease counts from the moment the successful call was sent, never from its answer: the server began to count later
 * than that, so this node always lets go first. Its attempts are ended a margin before the lease ends.
 */
export type Lease = {
  /** When the call was sent that won it; monotonic ms. */
  readonly fromMs: number;
  readonly lengthMs: number;
};

/** How long a fresh worker looks for its first lease. */
export const firstLeaseWithinMs = 10 * 60_000;
/** How long a program may take to end itself. */
export const longestGraceMs = 30_000;

/** How long before its end a lease's attempts are stopped. */
export const marginMs = (lengthMs: number): number => Math.min(60_000, lengthMs / 4);

const endMs = (lease: Lease): number => lease.fromMs + lease.lengthMs;

/** `hold`: all is well until `untilMs`. `let-go`: stop all attempts. `shut-down`: nobody answers any more. */
export type LeaseVerdict =
  | { readonly kind: "hold" | "let-go"; readonly untilMs: number }
  | { readonly kind: "shut-down"; readonly because: string };

export function judgeLease(at: { nowMs: number; startedMs: number; lease?: Lease | undefined }): LeaseVerdict {
  const { nowMs, startedMs, lease } = at;
  if (lease === undefined) {
    const untilMs = startedMs + firstLeaseWithinMs;
    return nowMs < untilMs ? { kind: "hold", untilMs } : { kind: "shut-down", because: "this node was never given a lease" };
  }
  const letGoMs = endMs(lease) - marginMs(lease.lengthMs);
  if (nowMs < letGoMs) return { kind: "hold", untilMs: letGoMs };
  if (nowMs < endMs(lease)) return { kind: "let-go", untilMs: endMs(lease) };
  return { kind: "shut-down", because: "the lease has ended and nobody answers" };
}

/** How long a program may take to end when stopped now: 30 s, or less so that it is gone half a margin before the lease's end. */
export function graceMs(nowMs: number, lease: Lease | undefined): number {
  if (lease === undefined) return longestGraceMs;
  const latestMs = endMs(lease) - marginMs(lease.lengthMs) / 2;
  return Math.max(0, Math.min(longestGraceMs, latestMs - nowMs));
}
