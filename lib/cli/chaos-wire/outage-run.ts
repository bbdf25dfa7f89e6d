import { readFile, stat, writeFile } from "node:fs/promises";
import type { LocalOutage, OutageOf } from "../../local/outages.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { isEnded, type Job, nodesOf } from "../../model/job.ts";
import { whatWentWrong } from "../invocation/exit.ts";
import { jobsOf, look, lookMs, rested } from "./at-rest.ts";
import { checks } from "./checks.ts";
import { endsWithinMs, firstDecisionAfterMs, type OutageFacts, outageChecks } from "./outage-checks.ts";
import { type OutageJob, outageJobs, type Role } from "./outage-jobs.ts";
import { countBy, runFolder, type WireRun, type WireStage } from "./stage.ts";

export type OutageStage = WireStage & {
  /** Milliseconds since the epoch, by the clock of the local cloud. */
  readonly nowMs: () => number;
};

const outageMs = 120_000;
const beginsWithinMs = 120_000;
/** How long programs go on after the outage. */
const goesOnMs = 10_000;
/** When the machine that hangs is declared dead, after the outage. Its last heartbeat must be older than 150 s by then. */
const declaredAfterMs = 32_000;
const pool = "gpu";

/** What happens during the outage, and when. */
const meanwhile = [
  { atMs: 15_000, what: "sent-early" },
  { atMs: 25_000, what: "hangs" },
  { atMs: 35_000, what: "ended-by-ec2" },
  { atMs: 45_000, what: "ends-meanwhile" },
  { atMs: 100_000, what: "sent-late" },
] as const;

/**
 * Does one run. While jobs run, functions or the table are out of reach for two minutes, in which machines die and programs end. Then the fleet
 * must catch up and scale to zero. Only the schedule ticks, once a minute. If `stop` aborts, the run stops at once and throws.
 */
export async function runOutage(stage: OutageStage, seed: number, of: OutageOf): Promise<WireRun> {
  const startedMs = performance.now();
  const folder = await runFolder(stage, seed);
  let outage: LocalOutage | undefined;
  try {
    const jobs = outageJobs(seed, folder);
    const before = stage.cloud.ec2.record.fleetCalls.length;
    const begun = await begin(stage, jobs);
    outage = await stage.cloud.outage(of);
    const beganMs = stage.nowMs();
    stage.print(`${of === "functions" ? "no function can be reached" : "the table does not respond"}, for ${outageMs / 1_000} s`);
    await during(stage, jobs, begun);
    const notesAtEnd = await notesOf(jobs);
    outage.end();
    const endedMs = stage.nowMs();
    stage.print(`the outage has ended; ${outage.refused()} calls failed`);
    const caughtUp = await catchUp(stage, jobs, { ...begun, endedMs, withinMs: endsWithinMs(of, "ended by EC2") });
    const ended = await rested(stage, jobs);
    stage.stop.throwIfAborted();
    const rest = await look(stage, { jobs: ended, folder, before });
    const lastNotesMs = await Promise.all(jobs.map(({ trace }) => lastChangeMs(trace)));
    const facts: OutageFacts = {
      ...{ of, beganMs, endedMs, refused: outage.refused(), decisionsMs: await decisionsSince(stage, beganMs) },
      jobs: jobs.map(({ team, job, role }, n) => ({
        ...{ team, job, role, nodes: nodesOf(begun.jobs.get(role === "sent meanwhile" ? "" : job)) },
        notes: { atBegin: begun.notes[n] ?? 0, atEnd: notesAtEnd[n] ?? 0 },
        ...{ lastNoteMs: lastNotesMs[n], before: caughtUp.jobs[n], ended: rest.jobs[n]?.job },
      })),
      instances: stage.cloud.ec2.record.instances.map(({ id, states }) => ({
        id,
        endedMs: states.find(({ state }) => state === "shutting-down" || state === "terminated")?.atMs,
      })),
      hung: { id: begun.hung, ...caughtUp.declared },
      endedByEc2: begun.endedByEc2,
    };
    stage.print(`the first decision was ${Math.round(firstDecisionAfterMs(facts) / 100) / 10} s after the end of the outage`);
    const found = [
      ...checks.flatMap(({ name, wrong }) => wrong(rest).map((each) => ({ check: name, wrong: each }))),
      ...outageChecks.flatMap(({ name, wrong }) => wrong(facts).map((each) => ({ check: name, wrong: each }))),
    ];
    const faults = { [`outage.${of}`]: 1, "worker.death": 1, "ec2.console-end": 1 };
    return { seed, faults, jobs: countBy(ended.map(({ job }) => job?.state ?? "unknown")), found, wallMs: performance.now() - startedMs };
  } finally {
    outage?.end();
  }
}

type Begun = {
  /** The jobs that run, by their ids. */
  readonly jobs: ReadonlyMap<string, Job>;
  readonly notes: readonly number[];
  readonly hung: string;
  readonly endedByEc2: string;
};

/** Sends the jobs that run before the outage, and waits until they run. */
async function begin(stage: OutageStage, all: readonly OutageJob[]): Promise<Begun> {
  const jobs = all.filter(({ role }) => role !== "sent meanwhile");
  for (const { team, body } of jobs) await stage.connection.queue.send(team, body);
  const running = await until(stage, beginsWithinMs, async () => {
    const found = await jobsOf(stage, jobs);
    return found.every(({ job }) => job?.state === "running") ? found : undefined;
  });
  if (!running) throw new FleetError("chaos-wire", `not all jobs ran within ${beginsWithinMs / 1_000} s, before the outage`);
  const nodeOf = (role: Role): string =>
    running.find(({ sent }) => sent.job === jobs.find((each) => each.role === role)?.job)?.job?.node ?? "";
  const [hung, endedByEc2] = [nodeOf("hangs"), nodeOf("ended by EC2")];
  if (hung === endedByEc2) throw new FleetError("chaos-wire", `the jobs whose machines should die share the node ${hung}`);
  stage.print(`${jobs.length} jobs run on ${new Set(running.flatMap(({ job }) => nodesOf(job))).size} nodes`);
  return {
    jobs: new Map(running.flatMap(({ job }) => (job ? [[job.job, job] as const] : []))),
    notes: await notesOf(all),
    ...{ hung, endedByEc2 },
  };
}

async function during(stage: OutageStage, jobs: readonly OutageJob[], { hung, endedByEc2 }: Begun): Promise<void> {
  const { cloud, connection, print, nowMs } = stage;
  const named = (name: string): OutageJob[] => jobs.filter(({ job }) => job.endsWith(name));
  const beganMs = nowMs();
  const sleepUntil = async (atMs: number): Promise<void> => {
    if (!(await stage.waited(Math.max(0, beganMs + atMs - nowMs()), stage.stop))) stage.stop.throwIfAborted();
  };
  for (const { atMs, what } of meanwhile) {
    await sleepUntil(atMs);
    switch (what) {
      case "hangs":
        await cloud.ec2.record.killWorker(hung);
        print(`${hung} hangs from now on`);
        break;
      case "ended-by-ec2":
        await cloud.ec2.record.endInstance(endedByEc2);
        print(`EC2 has ended ${endedByEc2}`);
        break;
      case "ends-meanwhile":
        await letGo(named(what));
        print("a program ends");
        break;
      case "sent-early":
      case "sent-late":
        await letGo(named(what));
        for (const { team, body } of named(what)) await connection.queue.send(team, body);
        print("a job is sent");
    }
  }
  await sleepUntil(outageMs);
}

/** Lets everything end but what runs on the machine that hangs, and then declares that machine dead. */
async function catchUp(
  stage: OutageStage,
  jobs: readonly OutageJob[],
  { hung, jobs: begun, endedMs, withinMs }: Begun & { readonly endedMs: number; readonly withinMs: number },
): Promise<{ readonly jobs: readonly (Job | undefined)[]; readonly declared: Omit<OutageFacts["hung"], "id"> }> {
  const { connection, stop, nowMs } = stage;
  // What ran on machines that are dead by now ends as soon as it has begun again.
  await letGo(jobs.filter(({ role }) => role === "hangs" || role === "ended by EC2"));
  if (await stage.waited(goesOnMs, stop)) await letGo(jobs);
  const others = jobs.filter(({ job }) => !nodesOf(begun.get(job)).includes(hung));
  await until(stage, withinMs, async () =>
    (await jobsOf(stage, others)).every(({ job }) => job && isEnded(job.state)) && nowMs() >= endedMs + declaredAfterMs ? true : undefined,
  );
  stop.throwIfAborted();
  const before = await jobsOf(stage, jobs);
  const declaredMs = nowMs();
  stage.print(`an admin declares ${hung} dead`);
  const refused = await connection.api.declareDead(hung, "it hangs since the outage").then(() => undefined, whatWentWrong);
  return { jobs: before.map(({ job }) => job), declared: { declaredMs, refused } };
}

/** Returns what `look` finds as soon as it finds something, or undefined after the time limit. Throws if the run is stopped. */
async function until<T>(stage: OutageStage, withinMs: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const limitMs = stage.nowMs() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined || stage.nowMs() > limitMs) return found;
    if (!(await stage.waited(2 * lookMs, stage.stop))) stage.stop.throwIfAborted();
  }
}

const letGo = async (jobs: readonly OutageJob[]): Promise<void> => {
  await Promise.all(jobs.map(({ go }) => writeFile(go, "")));
};

/** Returns how often each job has noted that it runs. */
const notesOf = (jobs: readonly OutageJob[]): Promise<readonly number[]> =>
  Promise.all(jobs.map(async ({ trace }) => (await readFile(trace, "utf8").catch(() => "")).split("\n").length - 1));

const lastChangeMs = (file: string): Promise<number | undefined> =>
  stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );

/** Returns the times of the decisions since then, newest first. */
async function decisionsSince({ connection: { api } }: OutageStage, sinceMs: number): Promise<readonly number[]> {
  const timesMs: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.decisions({ pool, limit: 50, ...(cursor !== undefined && { cursor }) });
    timesMs.push(...page.items.map(({ at }) => Date.parse(at)));
    cursor = page.cursor;
  } while (cursor !== undefined && (timesMs.at(-1) ?? 0) >= sinceMs);
  return timesMs.filter((atMs) => atMs >= sinceMs);
}
