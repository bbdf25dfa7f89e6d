/** Sends many jobs at once to an EC2 that throttles: the real flows on the ports in memory, in virtual time. */
import { type PlaceDeps, place } from "../../../lib/flows/place.ts";
import { ring } from "../../../lib/flows/pool/ring.ts";
import { submitJob } from "../../../lib/flows/submit-job.ts";
import type { Pool } from "../../../lib/model/pool.ts";
import { type BucketLimits, documentedLimits } from "../../../lib/model/requests/request-limits.ts";
import type { Lane } from "../../../lib/ports/bell.ts";
import type { RequestBudget } from "../../../lib/ports/request-budget.ts";
import { MemoryDatasets } from "../../../lib/sim/memory/datasets.ts";
import { MemoryJournal } from "../../../lib/sim/memory/journal.ts";
import { memoryLedger } from "../../../lib/sim/memory/ledger.ts";
import { MemoryRequestBudget } from "../../../lib/sim/memory/request-budget.ts";
import { aCatalogue, anOffer, aPool, aType, monday } from "../../fakes/builders.ts";
import { generator } from "./random.ts";
import { ThrottledEc2 } from "./throttled-ec2.ts";
import { VirtualTime } from "./virtual-time.ts";

/** The duration of a call to the table, and the delay of a message on the lane or on `later`, in ms. */
const tableMs = 4;
const laneMs = 40;
const laterMs = 80;
/** The timeout of `place`, in ms. */
const runMs = 20_000;
/** A run that has not launched all jobs after this time never will, in ms. */
const patienceMs = 600_000;

export type Crowd = {
  readonly jobs: number;
  readonly pools: number;
  readonly ec2: BucketLimits;
  /** The limits that the handlers assume. `none`: they have no budget, and retry at random when EC2 throttles. */
  readonly believed: BucketLimits | "none";
  readonly seed: number;
};

export type Crowded = {
  readonly seconds: number;
  readonly accepted: number;
  readonly refused: number;
  readonly instances: number;
  /** Jobs that failed, or whose reason mentions the throttling. */
  readonly troubled: number;
};

export async function launchAll(crowd: Crowd): Promise<Crowded> {
  const time = new VirtualTime(monday);
  const random = generator(crowd.seed);
  const ec2 = new ThrottledEc2({ time, random, limits: crowd.ec2 });
  const ledger = memoryLedger();
  const pools = Array.from({ length: crowd.pools }, (_, n) => aPool({ name: `gpu-${n}`, limits: { usdPerHour: 1e6, gpus: 1e5 } }));
  for (const pool of pools) ledger.table.catalogues.set(pool.name, shop());
  const lane = laneOf(time, {
    rang: (pool) => run(pools.find(({ name }) => name === pool)),
    later: (pool) => ring({ bell: ledger.bell, lane }, pool, "later"),
  });

  let ids = 0;
  const slow = <T extends object>(port: T): T => delayed(port, () => time.sleep(tableMs * (0.5 + random())));
  const deps: PlaceDeps = {
    decisions: slow(ledger.decisions),
    placements: slow(ledger.placements),
    capacity: slow(ledger.capacity),
    budget: slow(crowd.believed === "none" ? noBudget : new MemoryRequestBudget({ ...documentedLimits, launch: crowd.believed })),
    fleet: ec2,
    pools,
    catalogues: ledger.catalogues,
    overrides: ledger.overrides,
    lane,
    journal: new MemoryJournal(),
    pause: time.sleep,
    random,
    now: time.now,
    newId: () => `id-${++ids}`,
    log: () => undefined,
  };
  const run = async (pool: Pool | undefined): Promise<void> => {
    const endsMs = time.nowMs + runMs;
    if (pool) await place(deps, { pool, msLeft: () => endsMs - time.nowMs });
  };

  const team = "vision";
  const submit = { ...ledger, lane, datasets: new MemoryDatasets(), now: time.now, fleet: { pools, defaultPool: "gpu-0" } };
  const sentAtMs = time.now();
  void Promise.all(
    Array.from({ length: crowd.jobs }, (_, n) => {
      const body = JSON.stringify({ id: `job-${n}`, pool: pools[n % pools.length]?.name, command: ["train"], gpus: 1 });
      return submitJob(submit, { team, messageId: `message-${n}`, body, sentAtMs });
    }),
  );
  const isOver = () => ec2.memory.instances.size >= crowd.jobs && ledger.table.openLaunches.size === 0 && ledger.table.queue.size === 0;
  await time.run(() => isOver() || time.nowMs > monday + patienceMs);
  const jobs = [...ledger.table.jobs.values()];
  return {
    seconds: isOver() ? (ec2.lastLaunchMs - monday) / 1000 : Number.POSITIVE_INFINITY,
    accepted: ec2.accepted,
    refused: ec2.refused,
    instances: ec2.memory.instances.size,
    troubled: jobs.filter(
      ({ state, reason }) => state === "failed" || state === "rejected" || /limit exceeded|throttle/i.test(reason ?? ""),
    ).length,
  };
}

/** Returns a catalogue with one type in three zones. It has one GPU, so every job needs a node of its own. */
const shop = () =>
  aCatalogue({
    types: [aType()],
    offers: ["us-east-1a", "us-east-1b", "us-east-1c"].map((zone, n) => anOffer({ zone, usdPerHour: 0.5 + n / 100 })),
  });

/** Returns a lane on which one message per pool is in flight at a time. `later` rings after whole seconds. */
function laneOf(time: VirtualTime, hear: { rang: (pool: string) => Promise<void>; later: (pool: string) => Promise<void> }): Lane {
  const last = new Map<string, Promise<void>>();
  return {
    async send(pool) {
      const before = last.get(pool) ?? Promise.resolve();
      last.set(
        pool,
        before.then(() => time.sleep(laneMs)).then(() => hear.rang(pool)),
      );
    },
    async sendLater(pool, delaySeconds) {
      void time.sleep(Math.ceil(delaySeconds) * 1000 + laterMs).then(() => hear.later(pool));
    },
  };
}

/** The budget of handlers that do not coordinate: each calls at once, and retries within about a second. */
const noBudget: RequestBudget = {
  acquire: async () => ({ kind: "granted" }),
  throttled: async () => ({ withinMs: 1_000 }),
};

function delayed<T extends object>(port: T, wait: () => Promise<void>): T {
  return new Proxy(port, {
    get(target, method) {
      const own: unknown = Reflect.get(target, method);
      if (typeof own !== "function") return own;
      return async (...args: unknown[]): Promise<unknown> => {
        await wait();
        return Reflect.apply(own, target, args);
      };
    },
  });
}
