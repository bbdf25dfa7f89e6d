import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { faultsOf } from "../../../lib/cli/chaos-wire/faults.ts";
import { inTurn, runWire } from "../../../lib/cli/chaos-wire/run.ts";
import { reallyWaited, type WireStage } from "../../../lib/cli/chaos-wire/stage.ts";
import { workloadOf } from "../../../lib/cli/chaos-wire/workload.ts";
import type { Job } from "../../../lib/model/job.ts";
import { Chance } from "../../../lib/sim/faults/chance.ts";

const seed = 3;
const chance = () => new Chance(`wire ${seed}`);
const jobs = workloadOf(seed, chance().fork("workload"), "/traces");
const sends = jobs.flatMap(({ team, atMs, againAtMs, job }) => [atMs, ...againAtMs].map((at) => `${at} ${team}/${job}`));
const faults = faultsOf(chance().fork("faults"));

type Over = { readonly send?: () => Promise<never>; readonly restAtMs?: number; readonly stop?: AbortSignal };

/** A stage in virtual time: a fleet whose jobs end as they should, at `restAtMs`. */
async function stage({ send, restAtMs = 15_000, stop = new AbortController().signal }: Over = {}) {
  let nowMs = 0;
  const waiting: { atMs: number; go: (passed: boolean) => void }[] = [];
  const did = { sent: [] as string[], struck: [] as string[], ticks: [] as number[], looks: 0 };
  const waited: WireStage["waited"] = async (ms, over) => {
    if (over.aborted) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    waiting.push({ atMs: nowMs + ms, go: resolve });
    over.addEventListener("abort", () => resolve(false), { once: true });
    return promise;
  };
  const strike = (name: string) => () => void did.struck.push(name);
  const record = {
    instances: [],
    refusedRequests: new Map<string, number>(),
    fleetCalls: [],
    remaining: () => [],
    refuse: () => {
      did.struck.push("refuse");
      return () => undefined;
    },
    limitCapacity: strike("limitCapacity"),
    limitRequests: strike("limitRequests"),
    loseNextResponse: strike("loseNextResponse"),
    delayNextResponse: strike("delayNextResponse"),
    throttleNext: strike("throttleNext"),
    recommendRebalance: strike("recommendRebalance"),
    interrupt: () => 0,
    endInstance: async () => undefined,
    pauseWorker: async () => undefined,
    resumeWorker: async () => undefined,
    crashWorker: async () => undefined,
    killWorker: async () => undefined,
  };
  const jobOf = (ref: { readonly team: string; readonly job: string }): Job | undefined => {
    const asked = jobs.find(({ team, job }) => team === ref.team && job === ref.job);
    if (!asked || !did.sent.some((sent) => sent.endsWith(` ${asked.team}/${asked.job}`))) return undefined;
    const state = nowMs >= restAtMs ? asked.ends : "running";
    return { team: ref.team, job: ref.job, pool: "gpu", state, attempt: 1, failures: 0, submittedAtMs: 0, reason: "as expected" };
  };
  const connection = {
    queue: {
      send: async (team: string, body: string) => {
        await setImmediate();
        if (send) return send();
        const { id } = JSON.parse(body) as { id: string };
        did.sent.push(`${nowMs} ${team}/${id}`);
        return { messageId: "m" };
      },
    },
    jobs: {
      get: async (ref: { readonly team: string; readonly job: string }) => {
        did.looks += 1;
        return jobOf(ref);
      },
    },
    artifacts: {
      list: async ({ job }: { readonly job: string }) => {
        const leaves = jobs.find((each) => each.job === job)?.leaves ?? {};
        return { artifacts: Object.keys(leaves).map((path) => ({ path })) };
      },
      open: async () => undefined,
    },
    api: { pools: async () => ({ items: [{ pool: "gpu", reserved: { usdPerHour: 0, gpus: 0 }, openLaunches: [] }] }) },
  };
  const cloud = {
    ec2: { record },
    invoke: async () => {
      did.ticks.push(nowMs);
      throw new Error("killed");
    },
    kill: async () => void did.struck.push("kill"),
  };
  const printed: string[] = [];
  const folder = await mkdtemp(join(tmpdir(), "chaos-wire-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  // The parts that a run uses of a cloud and of a connection to it.
  const on = { cloud, connection, folder, print: (line: string) => void printed.push(line), stop, waited } as unknown as WireStage;
  /** Lets time pass until the run has ended. */
  const run = async () => {
    let ended = false;
    const work = runWire(on, seed).finally(() => {
      ended = true;
    });
    work.catch(() => undefined);
    while (!ended) {
      for (let turn = 0; turn < 5; turn += 1) await setImmediate();
      const [next] = waiting.toSorted((a, b) => a.atMs - b.atMs);
      if (next) {
        waiting.splice(waiting.indexOf(next), 1);
        nowMs = Math.max(nowMs, next.atMs);
        next.go(true);
      } else await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return work;
  };
  return { run, did, printed, nowMs: () => nowMs };
}

describe("a chaos run on a local cloud", () => {
  test("a run sends each message at its times and strikes each fault, and ticks every three seconds until the fleet is at rest", async () => {
    const { run, did, printed, nowMs } = await stage();
    const result = await run();
    expect(did.sent.sort()).toEqual(sends.toSorted());
    // Faults of workers find none here, because nothing runs.
    const struck = faults.filter(({ kind }) => /^(?:ec2\.(?!console)|lambda)/.test(kind)).map(({ kind }) => kind);
    expect(printed).toEqual(struck);
    expect(Object.values(result.faults).reduce((sum, n) => sum + n, 0)).toBe(struck.length);
    expect(Object.keys(result.faults)).toEqual([...new Set(struck)].sort());
    expect(did.ticks.slice(0, 4)).toEqual([3_000, 6_000, 9_000, 12_000]);
    expect(nowMs()).toBeGreaterThanOrEqual(15_000);
    const kinds = Map.groupBy(jobs, ({ ends }) => ends);
    expect(result).toMatchObject({ seed, jobs: Object.fromEntries([...kinds].map(([kind, all]) => [kind, all.length])) });
  });

  test("a run reports artifacts that could not be unsealed, and nothing else of a fleet that worked well", async () => {
    const { found } = await (await stage()).run();
    const missing = jobs.filter(({ leaves }) => Object.keys(leaves).length > 0);
    expect(found.map(({ check }) => check)).toEqual(missing.map(() => "artifacts are sealed"));
  });

  test("a run fails if a message cannot be sent", async () => {
    const failing = await stage({ send: () => Promise.reject(new Error("SQS is down")) });
    await expect(failing.run()).rejects.toThrow("SQS is down");
  });

  test("a run that is stopped sends nothing more, and ends with the reason", async () => {
    const stopped = await stage({ stop: AbortSignal.abort(new Error("Ctrl-C")) });
    await expect(stopped.run()).rejects.toThrow("Ctrl-C");
    expect([stopped.did.sent, stopped.printed, stopped.did.ticks]).toEqual([[], [], []]);
  });
});

test("a wait ends with its time, or at once if it is aborted", async () => {
  expect(await reallyWaited(1, new AbortController().signal)).toBe(true);
  expect(await reallyWaited(60_000, AbortSignal.abort())).toBe(false);
});

describe("what is drawn for chaos runs on a local cloud", () => {
  test("the jobs of a seed never change, so that a failed run can be repeated", () => {
    const drawn = [1, 2].map((each) => workloadOf(each, new Chance(`wire ${each}`).fork("workload"), "/traces"));
    const shown = drawn.map((all) =>
      all.map(({ leaves, ...job }) => ({ ...job, leaves: Object.entries(leaves).map(([path, text]) => `${path} ${text.length}`) })),
    );
    expect(shown).toMatchSnapshot();
  });

  test("the faults of a seed never change, and each does what it says to a worker or to EC2", async () => {
    const did: string[] = [];
    const noting =
      (name: string) =>
      (...args: readonly unknown[]) =>
        void did.push(`${name} ${JSON.stringify(args)}`);
    const timers: number[] = [];
    const realTimeout = globalThis.setTimeout;
    const seams = {
      kill: async (name: string) => noting("kill")(name),
      record: {
        loseNextResponse: noting("loseNextResponse"),
        delayNextResponse: noting("delayNextResponse"),
        throttleNext: noting("throttleNext"),
        refuse: (...args: readonly unknown[]) => {
          noting("refuse")(...args);
          return noting("lift");
        },
        endInstance: async (...args: readonly unknown[]) => noting("endInstance")(...args),
        interrupt: noting("interrupt"),
        recommendRebalance: noting("recommendRebalance"),
        pauseWorker: async (...args: readonly unknown[]) => noting("pauseWorker")(...args),
        resumeWorker: async (...args: readonly unknown[]) => noting("resumeWorker")(...args),
        crashWorker: async (...args: readonly unknown[]) => noting("crashWorker")(...args),
        remaining: () => [
          { id: "i-1", market: "spot", workerPid: 1 },
          { id: "i-2", market: "on-demand", workerPid: 2 },
          { id: "i-3", market: "spot", workerPid: undefined },
          { id: "i-4", market: "spot", workerPid: 4 },
        ],
      },
    };
    vi.stubGlobal("setTimeout", (then: () => void, ms: number) => {
      timers.push(ms);
      return realTimeout(then, 0);
    });
    try {
      for (let each = 1; each <= 6; each += 1)
        for (const { kind, atMs, strike } of faultsOf(new Chance(`wire ${each}`).fork("faults"))) {
          did.push(`seed ${each} at ${atMs}: ${kind}`);
          expect(await strike(seams as unknown as Parameters<typeof strike>[0])).toBe(true);
          for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => realTimeout(resolve, 1));
        }
    } finally {
      vi.unstubAllGlobals();
    }
    expect({ did, timers }).toMatchSnapshot();
  });

  test("a fault of a worker strikes nothing if no worker runs, or if its instance ends in that moment", async () => {
    const failing = {
      remaining: () => [{ id: "i-1", market: "spot", workerPid: 1 }],
      crashWorker: () => Promise.reject(new Error("gone")),
    };
    const none = { ...failing, remaining: () => [] };
    const crashes = Array.from({ length: 20 }, (_, each) => faultsOf(new Chance(`${each}`)))
      .flat()
      .filter(({ kind }) => kind === "worker.crash");
    expect(crashes.length).toBeGreaterThan(0);
    for (const record of [failing, none])
      for (const { strike } of crashes) expect(await strike({ record } as unknown as Parameters<typeof strike>[0])).toBe(false);
  });
});

describe("several runs on a local cloud", () => {
  test("runs have one seed after the other, and each begins when the one before has ended", async () => {
    const begun: string[] = [];
    let busy = 0;
    const runs = await inTurn({ first: 7, runs: 3, signal: new AbortController().signal }, async (of, nth) => {
      busy += 1;
      begun.push(`seed ${of}, run ${nth}, ${busy} at once`);
      await setImmediate();
      busy -= 1;
      return of * 10;
    });
    expect(runs).toEqual([70, 80, 90]);
    expect(begun).toEqual(["seed 7, run 1, 1 at once", "seed 8, run 2, 1 at once", "seed 9, run 3, 1 at once"]);
  });

  test("no run begins after an interruption, and those that were done are kept", async () => {
    const stop = new AbortController();
    const run = async (of: number): Promise<number> => {
      if (of === 8) stop.abort();
      return of;
    };
    expect(await inTurn({ first: 7, runs: 5, signal: stop.signal }, run)).toEqual([7, 8]);
  });
});
