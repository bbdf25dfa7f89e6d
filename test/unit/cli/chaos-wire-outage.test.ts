import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type OutageFacts, outageChecks } from "../../../lib/cli/chaos-wire/outage-checks.ts";
import { outageJobs } from "../../../lib/cli/chaos-wire/outage-jobs.ts";
import { type OutageStage, runOutage } from "../../../lib/cli/chaos-wire/outage-run.ts";
import type { Job } from "../../../lib/model/job.ts";

type Seen = OutageFacts["jobs"][number];
const [beganMs, endedMs] = [100_000, 220_000];
const aJob = (id: string, more: Partial<Job> = {}): Job => ({
  ...{ team: "research", job: id, pool: "gpu", state: "succeeded", attempt: 1, failures: 0, submittedAtMs: 0, endedAtMs: endedMs + 15_000 },
  ...more,
});
const seen = (job: string, role: Seen["role"], node: string, more: Partial<Seen> = {}): Seen => ({
  ...{ team: "research", job, role, nodes: [node], notes: { atBegin: 10, atEnd: 250 }, lastNoteMs: endedMs + 10_000 },
  ...{ before: aJob(job), ended: aJob(job) },
  ...more,
});
const goesOn = seen("goes-on", "goes on", "i-1");
const meanwhile = seen("ends", "ends meanwhile", "i-2", { lastNoteMs: beganMs + 45_000 });
const hangs = seen("hangs", "hangs", "i-3", { before: aJob("hangs", { state: "running" }), ended: aJob("hangs", { attempt: 2 }) });
const byEc2 = seen("by-ec2", "ended by EC2", "i-4", { ended: aJob("by-ec2", { attempt: 2 }) });
const sent = seen("sent", "sent meanwhile", "", { nodes: [], notes: { atBegin: 0, atEnd: 0 } });
const good: OutageFacts = {
  of: "functions",
  ...{ beganMs, endedMs, refused: 150, decisionsMs: [endedMs + 40_000, endedMs + 3_000, beganMs + 500] },
  jobs: [goesOn, meanwhile, hangs, byEc2, sent],
  instances: [
    { id: "i-1", endedMs: endedMs + 30_000 },
    { id: "i-2", endedMs: endedMs + 20_000 },
    { id: "i-3", endedMs: endedMs + 35_000 },
    { id: "i-4", endedMs: beganMs + 35_000 },
  ],
  hung: { id: "i-3", declaredMs: endedMs + 32_000 },
  endedByEc2: "i-4",
};
const wrongs = (facts: OutageFacts): string[] => outageChecks.flatMap(({ name, wrong }) => wrong(facts).map((each) => `${name}: ${each}`));
const withJob = (job: Seen): OutageFacts => ({ ...good, jobs: good.jobs.map((each) => (each.job === job.job ? job : each)) });
const withEnd = (id: string, atMs: number | undefined): OutageFacts => ({
  ...good,
  instances: good.instances.map((each) => (each.id === id ? { id, endedMs: atMs } : each)),
});

describe("the checks of an outage on a local cloud", () => {
  test("the checks of an outage accept a fleet that has survived it", () => expect(wrongs(good)).toEqual([]));

  test.each<[what: string, facts: OutageFacts, says: RegExp]>([
    ["an outage in which calls succeeded", { ...good, refused: 3 }, /^an outage: only 3 calls failed/],
    ["a decision during the outage", { ...good, decisionsMs: [endedMs, beganMs + 30_000] }, /^an outage: there was a decision 30 s after/],
    ["work that was restarted", withJob({ ...goesOn, ended: aJob("goes-on", { attempt: 2 }) }), /^work goes on: .*goes-on had 2 attempts/],
    ["work that stood still", withJob({ ...goesOn, notes: { atBegin: 9, atEnd: 9 } }), /^work goes on: .*goes-on did not run/],
    ["a node that was ended with its work", withEnd("i-1", endedMs + 9_000), /^no node with work is ended: i-1 was ended while .*goes-on/],
    ["a node whose results had not arrived", withEnd("i-2", beganMs + 60_000), /^no node with work is ended: i-2 was ended while .*ends/],
    ["a late decision", { ...good, decisionsMs: [endedMs + 61_000] }, /^a decision within a minute: the first decision was 61 s after/],
    ["no decision", { ...good, decisionsMs: [] }, /^a decision within a minute: the first decision was never/],
    [
      "results that never arrived",
      withJob({ ...meanwhile, ended: aJob("ends", { endedAtMs: undefined }) }),
      /^all is caught up on: .*ends \(ends meanwhile\) ended never/,
    ],
    [
      "a result that arrived during the outage",
      withJob({ ...meanwhile, ended: aJob("ends", { endedAtMs: endedMs - 1 }) }),
      /^all is caught up on: .* was recorded as ended during the outage/,
    ],
    [
      "a message that was handled late",
      withJob({ ...sent, ended: aJob("sent", { endedAtMs: endedMs + 130_000 }) }),
      /^all is caught up on: .*sent \(sent meanwhile\) ended 130 s after/,
    ],
    [
      "a job that did not run again after EC2 had ended its instance",
      withJob({ ...byEc2, ended: aJob("by-ec2") }),
      /^all is caught up on: .* not with attempt 2/,
    ],
    [
      "a silent machine that was judged too soon",
      withEnd("i-3", endedMs + 5_000),
      /^silence is not judged: i-3 was ended before it was declared dead/,
    ],
    [
      "a silent machine that cannot be declared dead",
      { ...good, hung: { ...good.hung, refused: "there is no node i-3" } },
      /^silence is not judged: i-3 could not be declared dead: there is no node i-3/,
    ],
    ["a dead machine that was kept", withEnd("i-3", undefined), /^silence is not judged: i-3 was not ended/],
    [
      "work of a silent machine that ran elsewhere without proof",
      withJob({ ...hangs, before: aJob("hangs", { state: "running", attempt: 2 }) }),
      /^silence is not judged: .*hangs was running, attempt 2, before/,
    ],
    [
      "work of a dead machine that did not run again",
      withJob({ ...hangs, ended: aJob("hangs") }),
      /^silence is not judged: .*hangs ended with attempt 1/,
    ],
  ])("the checks of an outage find %s", (_what, facts, says) => {
    expect(wrongs(facts)).toEqual([expect.stringMatching(says)]);
  });
});

/** A stage in virtual time: a fleet that survives an outage, whose jobs each have a node of their own. */
async function stage(over: { readonly stop?: AbortSignal; readonly stuck?: boolean } = {}) {
  const stop = over.stop ?? new AbortController().signal;
  const folder = await mkdtemp(join(tmpdir(), "chaos-outage-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const jobs = outageJobs(1, join(folder, "1"));
  const startMs = Date.now();
  let [nowMs, isOut, outEndedMs, declaredMs] = [startMs, false, 0, Number.POSITIVE_INFINITY];
  const did: string[] = [];
  const note = (what: string): void => void did.push(`${Math.round((nowMs - startMs) / 1_000)} s: ${what}`);
  const arrived = new Set<string>();
  const dead = new Map<string, number>();
  const nodeOf = (id: string): string => `i-${id.replace("outage-1-", "")}`;
  const jobOf = ({ team, job: id }: { team: string; job: string }): Job | undefined => {
    const job = jobs.find((each) => each.job === id);
    if (!job || !arrived.has(id) || isOut) return undefined;
    const hasNewNode = job.role === "hangs" ? declaredMs <= nowMs : job.role === "ended by EC2" && outEndedMs > 0;
    const lives = hasNewNode || !["hangs", "ended by EC2"].includes(job.role);
    const state = over.stuck ? "queued" : lives && existsSync(job.go) ? "succeeded" : "running";
    return { ...aJob(id), team, state, attempt: hasNewNode ? 2 : 1, node: nodeOf(id), endedAtMs: nowMs };
  };
  const connection = {
    queue: {
      send: async (_team: string, body: string) => {
        const { id } = JSON.parse(body) as { id: string };
        arrived.add(id);
        note(`sent ${id}`);
        return { messageId: "m" };
      },
    },
    jobs: { get: async (ref: { team: string; job: string }) => jobOf(ref) },
    artifacts: {
      list: async () => ({ artifacts: [{ path: "out.txt" }] }),
      open: async ({ job }: Job, _artifact: unknown, file: string) => {
        await mkdir(join(file, ".."), { recursive: true });
        await writeFile(file, `${job}\n`);
      },
    },
    api: {
      pools: async () => ({ items: [{ pool: "gpu", reserved: { usdPerHour: 0, gpus: 0 }, openLaunches: [] }] }),
      decisions: async () => ({ items: [{ at: new Date(outEndedMs + 2_000).toISOString() }] }),
      declareDead: async (node: string) => {
        note(`declared ${node} dead`);
        declaredMs = nowMs;
        dead.set(node, nowMs + 1_000);
      },
    },
  };
  const cloud = {
    outage: async (of: string) => {
      note(`outage of ${of}`);
      isOut = true;
      return {
        refused: () => 99,
        end: () => {
          if (!isOut) return;
          note("end of the outage");
          isOut = false;
          outEndedMs = nowMs;
        },
      };
    },
    ec2: {
      record: {
        fleetCalls: [],
        remaining: () => [],
        get instances() {
          return jobs.map(({ job }) => {
            const atMs = dead.get(nodeOf(job));
            return { id: nodeOf(job), states: atMs === undefined ? [] : [{ state: "shutting-down", atMs }] };
          });
        },
        killWorker: async (node: string) => note(`killed the worker of ${node}`),
        endInstance: async (node: string) => {
          note(`ended ${node}`);
          dead.set(node, nowMs);
        },
      },
    },
  };
  const waited: OutageStage["waited"] = async (ms) => {
    if (stop.aborted) return false;
    nowMs += ms;
    for (const { trace, role } of jobs) if (role === "goes on") await appendFile(trace, "1\n");
    return true;
  };
  const on = { cloud, connection, folder, print: () => undefined, stop, waited, nowMs: () => nowMs } as unknown as OutageStage;
  return { run: () => runOutage(on, 1, "functions"), did };
}

describe("a run with an outage on a local cloud", () => {
  test("a run cuts the functions off for two minutes, in which machines die and jobs are sent, and declares the silent machine dead", async () => {
    const { run, did } = await stage();
    const { found, jobs } = await run();
    expect(did.filter((line) => !line.startsWith("0 s: sent"))).toEqual([
      "0 s: outage of functions",
      "15 s: sent outage-1-sent-early",
      "25 s: killed the worker of i-hangs",
      "35 s: ended i-ended-by-ec2",
      "100 s: sent outage-1-sent-late",
      "120 s: end of the outage",
      "152 s: declared i-hangs dead",
    ]);
    expect(found).toEqual([]);
    expect(jobs).toEqual({ succeeded: 7 });
  });

  test("a run fails if its jobs do not begin, and there is no outage then", async () => {
    const { run, did } = await stage({ stuck: true });
    await expect(run()).rejects.toThrow("not all jobs ran within 120 s");
    expect(did.every((line) => line.includes("sent"))).toBe(true);
  });

  test("a run that is stopped ends the outage and throws the reason", async () => {
    const { run, did } = await stage({ stop: AbortSignal.abort(new Error("Ctrl-C")) });
    await expect(run()).rejects.toThrow("Ctrl-C");
    expect(did.at(-1)).toBe("0 s: end of the outage");
  });
});
