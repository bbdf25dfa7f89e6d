import type { Refusal, Refused, Subject } from "../../model/refusal.ts";

/**
 * How long an offer cools down after a refusal. Shortages last minutes to hours, and only a request shows whether one is over; each request in
 * vain costs a token and a job's time. So a cooldown doubles with every refusal without a success in between, because the evidence grows that
 * the shortage is a long one. The evidence halves with time, so that an offer that was often refused yesterday is requested normally today.
 * A request costs the same for one dry offer as for twenty, so cooldowns for capacity end together, every four minutes, and one launch requests
 * all of them. For the same reason cooldowns need not grow beyond eight minutes; longer ones would make jobs wait for capacity that exists.
 *
 * A quota is different: it holds until work ends or an admin has raised it. A fault is most often ours, and soon fixed.
 */
type Rule = { readonly firstMs: number; readonly longestMs: number; readonly halfLifeMs: number; readonly endsEveryMs: number };
const rules: Readonly<Record<Subject["why"], Rule>> = {
  capacity: { firstMs: 120_000, longestMs: 480_000, halfLifeMs: 3_600_000, endsEveryMs: 240_000 },
  limit: { firstMs: 300_000, longestMs: 1_200_000, halfLifeMs: 3_600_000, endsEveryMs: 1 },
  fault: { firstMs: 30_000, longestMs: 300_000, halfLifeMs: 900_000, endsEveryMs: 1 },
};
/** A cooldown is shorter or longer by up to this part, so that pools that were refused together do not all request again together. */
const spread = 0.15;
/** A launch that tries an offer after its cooldown has it to itself for this long; EC2 responds within seconds. */
const probeMs = 60_000;
/** Less evidence than this counts as none, so one refusal is forgotten after a half-life. */
const minEvidence = 0.5;

/**
 * `cooling-down`: it must not be requested. `half-open`: its cooldown is over, and one launch may try it while the others wait.
 * `free`: as if it had never been refused.
 */
export type OfferStatus = "cooling-down" | "half-open" | "free";

/** Returns the status of a refusal. A clock that was set back cannot extend a cooldown: one that ends later than any can is over. */
export function statusOf(refusal: Refusal, nowMs: number): OfferStatus {
  const { longestMs, endsEveryMs } = rules[refusal.why];
  if (nowMs < refusal.untilMs && refusal.untilMs - nowMs <= longestMs * (1 + spread) + endsEveryMs) return "cooling-down";
  return evidenceAt(refusal, nowMs) < minEvidence ? "free" : "half-open";
}

/** Returns what is known after another refusal. A response to the same launch that is read twice changes nothing. */
export function refusedAgain(known: Refusal | undefined, { subject, code, least, launch }: Refused, atMs: number): Refusal {
  if (known?.launch === launch) return known;
  const { firstMs, longestMs, endsEveryMs } = rules[subject.why];
  const before = known && statusOf(known, atMs) !== "free" ? known : undefined;
  const evidence = 1 + (before ? evidenceAt(before, atMs) : 0);
  const cooldownMs = Math.min(longestMs, firstMs * 2 ** (evidence - 1)) * jitter(launch);
  const cooling = before && statusOf(before, atMs) === "cooling-down" ? before : undefined;
  return {
    ...subject,
    code,
    least: cooling ? Math.min(cooling.least, least) : least,
    evidence,
    atMs,
    sinceMs: Math.min(before?.sinceMs ?? atMs, atMs),
    untilMs: Math.max(cooling?.untilMs ?? 0, Math.ceil((atMs + cooldownMs) / endsEveryMs) * endsEveryMs),
    launch,
  };
}

/** Returns what is known after a success: nothing, unless less was given than had been refused. */
export const given = (known: Refusal | undefined, much: number): Refusal | undefined => (known && known.least > much ? known : undefined);

/** Claims the one launch that may try an offer after its cooldown: for the others, the offer cools down meanwhile. Returns undefined if it cannot. */
export const halfOpenProbe = (known: Refusal | undefined, atMs: number): Refusal | undefined =>
  known && statusOf(known, atMs) === "half-open" ? { ...known, untilMs: atMs + probeMs } : undefined;

/** Returns the evidence that is left. A clock that ran backwards does not change it. */
const evidenceAt = ({ why, evidence, atMs }: Refusal, nowMs: number): number =>
  evidence * 2 ** (-Math.max(0, nowMs - atMs) / rules[why].halfLifeMs);

/** Returns the same factor for all refusals of one launch, so that the next launch requests those offers together again. FNV-1a. */
function jitter(launch: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < launch.length; at += 1) hash = Math.imul(hash ^ launch.charCodeAt(at), 0x01000193);
  return 1 - spread + (2 * spread * (hash >>> 0)) / 0xffff_ffff;
}
