import { attemptName, jobName, nodesOf } from "../../../model/job.ts";
import type { Fact, ProgramRun } from "../../world/facts.ts";
import type { WorldView } from "../../world/seen.ts";
import type { Invariant, InvariantBreach } from "../invariant.ts";

/** A worker has got the order with its second response, and its programs take some seconds to end. */
const answersNeeded = 2;
const stopsWithinMs = 20_000;

/** Something that a worker must learn: since when, how many responses it has got since, and when it had got enough. */
type News = { readonly sinceMs: number; answers: number; learnedMs: number };

/** 17: workers learn what concerns them from the next responses that they get, whatever faults there are. */
export const informed: Invariant = {
  number: 17,
  name: "workers are informed",
  says: "A worker that gets responses about them stops the runs of a job that was cancelled, and all runs after an interruption notice. Such a node gets no other job.",
  watch: (seen) => {
    /** By instance. */
    const notices = new Map<string, News>();
    /** By job, then by instance. */
    const cancels = new Map<string, Map<string, News>>();
    return {
      on: (fact) => {
        const now = seen();
        if (fact.kind === "warned" && fact.notice === "interruption") notices.set(fact.id, newsAt(now.nowMs));
        if (fact.kind === "job") return noteJob(fact, { notices, cancels, now });
        if (fact.kind !== "answered") return undefined;
        count(notices.get(fact.instance), fact, now.nowMs);
        const passedOver = new Set(fact.unrecorded.map(jobName));
        for (const [job, each] of cancels) if (!passedOver.has(job)) count(each.get(fact.instance), fact, now.nowMs);
        return stillRuns(fact.instance, { notices, cancels, now });
      },
    };
  },
};

const newsAt = (sinceMs: number): News => ({ sinceMs, answers: 0, learnedMs: Number.POSITIVE_INFINITY });

function count(news: News | undefined, { sentAtMs }: { sentAtMs: number }, nowMs: number): void {
  if (!news || sentAtMs < news.sinceMs) return;
  news.answers += 1;
  if (news.answers === answersNeeded) news.learnedMs = nowMs;
}

type Informed = {
  readonly notices: ReadonlyMap<string, News>;
  readonly cancels: Map<string, Map<string, News>>;
  readonly now: WorldView;
};

function noteJob({ before, after }: Extract<Fact, { kind: "job" }>, { notices, cancels, now }: Informed): InvariantBreach {
  if (after.state === "cancelled" && before?.state !== "cancelled")
    cancels.set(jobName(after), new Map(nodesOf(before).map((id) => [id, newsAt(now.nowMs)])));
  if (after.state !== "placed" || before?.state !== "queued") return undefined;
  const taken = nodesOf(after).find((id) => (notices.get(id)?.answers ?? 0) > 0);
  return taken && `${attemptName(after)} was placed on ${taken}, whose worker had reported that EC2 takes it back`;
}

function stillRuns(instance: string, { notices, cancels, now }: Informed): InvariantBreach {
  const isLate = (news: News | undefined): boolean => news !== undefined && now.nowMs - news.learnedMs > stopsWithinMs;
  const isLateCancel = (run: ProgramRun): boolean => isLate(cancels.get(jobName(run))?.get(instance));
  if (!isLate(notices.get(instance)) && ![...cancels.values()].some((each) => isLate(each.get(instance)))) return undefined;
  const run = now.running().find((each) => each.instance === instance && (isLate(notices.get(instance)) || isLateCancel(each)));
  if (!run) return undefined;
  const why = isLateCancel(run) ? "its job was cancelled" : "EC2 takes the instance back";
  return `${attemptName(run)} still runs on ${instance}, although ${why} and its worker has got ${answersNeeded} responses since`;
}
