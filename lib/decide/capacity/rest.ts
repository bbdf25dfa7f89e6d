import type { Refusal, Refused, Subject } from "../../model/refusal.ts";

/**
 * How long what was refused rests. Capacity comes and goes in spells of minutes to hours, and nobody tells when it is back:
 * only asking does, and each time in vain costs a request and a job's time. So a rest doubles with every refusal that comes
 * without a success between, as the evidence grows that a spell is a long one; and the evidence halves with time, so that
 * what was often refused yesterday is asked for like anything else today. A request costs the same for one dry offer as for
 * twenty: so rests of capacity end together, every four minutes, and one launch asks for all of them. That is also why they
 * need not grow beyond eight minutes, which would be time that jobs wait for what is there.
 *
 * A quota is not a spell: it holds until work ends or the admin has raised it. A fault is most often ours, and soon mended.
 */
type Rule = { readonly firstMs: number; readonly longestMs: number; readonly halfLifeMs: number; readonly endsEveryMs: number };
const rules: Readonly<Record<Subject["why"], Rule>> = {
  capacity: { firstMs: 120_000, longestMs: 480_000, halfLifeMs: 3_600_000, endsEveryMs: 240_000 },
  limit: { firstMs: 300_000, longestMs: 1_200_000, halfLifeMs: 3_600_000, endsEveryMs: 1 },
  fault: { firstMs: 30_000, longestMs: 300_000, halfLifeMs: 900_000, endsEveryMs: 1 },
};
/** A rest is up to so much shorter or longer, so that what was refused to several at one moment is not asked for by all at the next. */
const spread = 0.15;
/** Whoever tries what has rested has it for himself for so long; EC2 answers within seconds. */
const probeMs = 60_000;
/** Less evidence than this is none: one refusal is forgotten after a half-life. */
const leastEvidence = 0.5;

/**
 * `rests`: not to be asked for. `probe`: its rest is over, and one launch may try it while the others wait for what comes of
 * that. `free`: as if it had never been refused.
 */
export type Standing = "rests" | "probe" | "free";

/** A clock that was set back cannot make a rest longer: one that seems to end later than any may is over. */
export function standing(refusal: Refusal, nowMs: number): Standing {
  const { longestMs, endsEveryMs } = rules[refusal.why];
  if (nowMs < refusal.untilMs && refusal.untilMs - nowMs <= longestMs * (1 + spread) + endsEveryMs) return "rests";
  return evidenceAt(refusal, nowMs) < leastEvidence ? "free" : "probe";
}

/** What is known after another refusal. The same launch's answer, read twice, changes nothing. */
export function refusedAgain(known: Refusal | undefined, { subject, code, least, launch }: Refused, atMs: number): Refusal {
  if (known?.launch === launch) return known;
  const { firstMs, longestMs, endsEveryMs } = rules[subject.why];
  const before = known && standing(known, atMs) !== "free" ? known : undefined;
  const evidence = 1 + (before ? evidenceAt(before, atMs) : 0);
  const restMs = Math.min(longestMs, firstMs * 2 ** (evidence - 1)) * jitter(launch);
  const rests = before && standing(before, atMs) === "rests" ? before : undefined;
  return {
    ...subject,
    code,
    least: rests ? Math.min(rests.least, least) : least,
    evidence,
    atMs,
    sinceMs: Math.min(before?.sinceMs ?? atMs, atMs),
    untilMs: Math.max(rests?.untilMs ?? 0, Math.ceil((atMs + restMs) / endsEveryMs) * endsEveryMs),
    launch,
  };
}

/** What is known after it was given: nothing any more, unless less of it was given than had been refused. */
export const given = (known: Refusal | undefined, much: number): Refusal | undefined => (known && known.least > much ? known : undefined);

/** The right to try what has rested, for one launch: as long as it lasts, it rests for the others. Undefined when there is none to be had. */
export const probed = (known: Refusal | undefined, atMs: number): Refusal | undefined =>
  known && standing(known, atMs) === "probe" ? { ...known, untilMs: atMs + probeMs } : undefined;

/** Time that seems to have run backwards takes no evidence away. */
const evidenceAt = ({ why, evidence, atMs }: Refusal, nowMs: number): number =>
  evidence * 2 ** (-Math.max(0, nowMs - atMs) / rules[why].halfLifeMs);

/** The same for all that one launch was refused, so that the next one asks for it together again. FNV-1a. */
function jitter(launch: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < launch.length; at += 1) hash = Math.imul(hash ^ launch.charCodeAt(at), 0x01000193);
  return 1 - spread + (2 * spread * (hash >>> 0)) / 0xffff_ffff;
}
