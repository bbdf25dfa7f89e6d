/**
 * A node's right to run its attempts while the server does not respond.
 *
 * It counts from the moment when the successful call was sent, not from its response. The server starts to count later than that, so
 * the node always stops its attempts before the server gives them to another node. The node stops them a margin before the lease ends.
 */
export type Lease = {
  /** When the call that obtained it was sent, in monotonic ms. */
  readonly fromMs: number;
  readonly lengthMs: number;
};

/** How long a new worker tries to get its first lease. */
export const firstLeaseWithinMs = 10 * 60_000;
/** How long a program may take to end itself. */
export const longestGraceMs = 30_000;

/** Returns how long before the end of a lease the attempts must be stopped, in ms. */
export const marginMs = (lengthMs: number): number => Math.min(60_000, lengthMs / 4);

const endMs = (lease: Lease): number => lease.fromMs + lease.lengthMs;

/** `hold`: go on until `untilMs`. `let-go`: stop all attempts. `shut-down`: end the instance, because it has no lease. */
export type LeaseVerdict =
  | { readonly kind: "hold" | "let-go"; readonly untilMs: number }
  | { readonly kind: "shut-down"; readonly because: string };

export function judgeLease(at: { nowMs: number; startedMs: number; lease?: Lease | undefined }): LeaseVerdict {
  const { nowMs, startedMs, lease } = at;
  if (lease === undefined) {
    const untilMs = startedMs + firstLeaseWithinMs;
    return nowMs < untilMs ? { kind: "hold", untilMs } : { kind: "shut-down", because: "this node never received a lease" };
  }
  const letGoMs = endMs(lease) - marginMs(lease.lengthMs);
  if (nowMs < letGoMs) return { kind: "hold", untilMs: letGoMs };
  if (nowMs < endMs(lease)) return { kind: "let-go", untilMs: endMs(lease) };
  return { kind: "shut-down", because: "the lease has ended and the server does not respond" };
}

/** Returns how long a program that is stopped now may take: 30 s, or less so that it ends at least half a margin before the lease does. */
export function graceMs(nowMs: number, lease: Lease | undefined): number {
  if (lease === undefined) return longestGraceMs;
  const latestMs = endMs(lease) - marginMs(lease.lengthMs) / 2;
  return Math.max(0, Math.min(longestGraceMs, latestMs - nowMs));
}
