import { FleetError } from "../../model/fleet-error.ts";
import { type JobRef, jobName } from "../../model/job.ts";
import { acrossPools, unknownOverrides } from "../../model/overrides/overrides.ts";
import type { UnreadableItem } from "../../model/plan.ts";
import { subjectName } from "../../model/refusal.ts";
import type { Fence, Placements, Written } from "../../ports/pool-ledger.ts";
import type { LedgerPorts } from "./ledger-ports.ts";

/**
 * A stored item that this release cannot read. `pool`: undefined if it is not of one pool. `node`, `jobs`: what it stands for, or is known
 * of it all the same.
 */
export type SpoiledItem = {
  readonly kind: SpoiledKind;
  /** The node's or launch's id, the refusal's subject, the job's name, the pool or the team. */
  readonly name: string;
  readonly pool?: string | undefined;
  readonly team?: string | undefined;
  readonly jobs?: readonly JobRef[] | undefined;
};

export const spoiledKinds = [
  "node",
  "launch",
  "queue entry",
  "refusal",
  "boot failure",
  "team counter",
  "team costs",
  "pool counter",
  "catalogue",
  "job",
  "overrides",
] as const;
export type SpoiledKind = (typeof spoiledKinds)[number];

/** The items that cannot be read. */
export class Spoiled {
  readonly #items = new Map<string, SpoiledItem>();

  add(item: SpoiledItem): void {
    this.#items.set(`${item.kind} ${item.name}`, item);
  }

  remove(kind: SpoiledKind, name: string): void {
    this.#items.delete(`${kind} ${name}`);
  }

  clear(): void {
    this.#items.clear();
  }

  has(kind: SpoiledKind, name: string): boolean {
    return this.#items.has(`${kind} ${name}`);
  }

  get items(): readonly SpoiledItem[] {
    return [...this.#items.values()];
  }

  /** The only item, or undefined if none is unreadable. */
  get item(): SpoiledItem | undefined {
    return this.items[0];
  }
}

const unreadJob = (ref: JobRef): UnreadableItem => ({ kind: "job", key: jobName(ref), why: "state: is not known" });

/** What counts as reserved if a counter cannot be read, as in the real table. */
const full = { usdPerHour: 1e9, gpus: 1e9 };

/**
 * Returns the ledger as the real table behaves if items cannot be read: reads of a partition leave them out and name them, a counter counts
 * as full, and whatever needs such an item itself throws.
 */
export function withUnreadable(real: LedgerPorts, spoiled: Spoiled): LedgerPorts {
  const is = (kind: SpoiledKind, name: string): boolean => spoiled.has(kind, name);
  const aside = new Set<string>();
  const isAside = (entry: JobRef): boolean => aside.has(jobName(entry)) && is("job", jobName(entry));
  const need = (kind: SpoiledKind, name: string): void => {
    if (is(kind, name)) throw new FleetError("broken-item", `the ${kind} ${name} is broken`);
  };
  const forget = (kind: SpoiledKind, name: string): void => spoiled.remove(kind, name);
  const needJob = (ref: JobRef): void => need("job", jobName(ref));
  const named = (kinds: readonly SpoiledKind[], pool: string): readonly UnreadableItem[] =>
    spoiled.items
      .filter((item) => kinds.includes(item.kind) && (item.pool ?? pool) === pool)
      .map(({ kind, name, jobs }) => ({
        kind: kindsInTable[kind],
        key: name,
        why: "state: is not known",
        ...(kind === "launch" && { jobs }),
      }));

  return {
    ...real,
    decisions: {
      ...real.decisions,
      begin: async (pool) => {
        need("pool counter", pool);
        return real.decisions.begin(pool);
      },
      state: async (pool) => {
        need("pool counter", pool);
        return real.decisions.state(pool);
      },
      load: async (pool, nowMs) => {
        need("pool counter", pool);
        const loaded = await real.decisions.load(pool, nowMs);
        if (spoiled.items.length === 0) return loaded;
        const held = loaded.nodes.flatMap(({ assignments }) => assignments.filter(({ phase }) => phase === "placed"));
        const stuck = held.filter((each) => is("job", jobName(each))).map(unreadJob);
        const unreadable = [
          ...named(["node", "launch", "refusal", "boot failure", "team counter", "team costs", "overrides"], pool),
          ...stuck,
        ];
        const ofTeams = spoiled.items.flatMap(({ kind, team }) => (kind === "team counter" && team !== undefined ? [[team, full]] : []));
        const unknown = spoiled.items.flatMap((item) =>
          item.kind === "team costs" && item.team !== undefined && item.pool === pool
            ? [[item.team, { dayUsd: 0, monthUsd: 0, isUnknown: true as const }]]
            : [],
        );
        return {
          ...loaded,
          nodes: loaded.nodes.filter(({ id }) => !is("node", id)),
          openLaunches: loaded.openLaunches.filter(({ id }) => !is("launch", id)),
          refusals: loaded.refusals.filter((refusal) => !is("refusal", subjectName(refusal))),
          bootFailures: loaded.bootFailures?.filter(({ node }) => !is("boot failure", node)),
          catalogue: is("catalogue", pool) ? undefined : loaded.catalogue,
          reservedWider: { ...loaded.reservedWider, teams: { ...loaded.reservedWider.teams, ...Object.fromEntries(ofTeams) } },
          spent: { ...loaded.spent, teams: { ...loaded.spent.teams, ...Object.fromEntries(unknown) } },
          ...(is("overrides", pool) && { overrides: unknownOverrides }),
          ...(is("overrides", acrossPools) && { widerOverrides: unknownOverrides }),
          ...(unreadable.length > 0 && { unreadable }),
        };
      },
      waiting: async (pool, nowMs) => {
        const read = await real.decisions.waiting(pool, nowMs);
        const unreadable = [...named(["queue entry"], pool), ...read.queue.filter(isAside).map(unreadJob)];
        const queue = read.queue.filter((entry) => !is("queue entry", jobName(entry)) && !isAside(entry));
        return { ...read, queue, ...(unreadable.length > 0 && { unreadable }) };
      },
    },
    overrides: { ...real.overrides, get: async (pool) => (is("overrides", pool) ? unknownOverrides : real.overrides.get(pool)) },
    catalogues: {
      get: async (pool) => (is("catalogue", pool) ? undefined : real.catalogues.get(pool)),
      put: async (pool, catalogue) => {
        await real.catalogues.put(pool, catalogue);
        forget("catalogue", pool);
      },
    },
    capacity: {
      change: async (subject, next) => {
        need("refusal", subjectName(subject));
        return real.capacity.change(subject, next);
      },
    },
    nodeLedger: {
      ...real.nodeLedger,
      get: async (pool, node) => {
        need("node", node);
        return real.nodeLedger.get(pool, node);
      },
      begin: async (pool, node, atMs) => {
        need("node", node);
        return real.nodeLedger.begin(pool, node, atMs);
      },
      seen: async (pool, node, sign) => {
        need("node", node);
        return real.nodeLedger.seen(pool, node, sign);
      },
      job: async (ref) => {
        needJob(ref);
        return real.nodeLedger.job(ref);
      },
      change: async (on, change) => {
        need("node", on.node);
        needJob(change.attempt);
        return real.nodeLedger.change(on, change);
      },
    },
    admissions: {
      admit: async (job, limits) => {
        needJob(job);
        return real.admissions.admit(job, limits);
      },
    },
    cancellations: {
      ...real.cancellations,
      cancel: async (ref, by) => {
        needJob(ref);
        return real.cancellations.cancel(ref, by);
      },
      evict: async (ref, by) => {
        needJob(ref);
        return real.cancellations.evict(ref, by);
      },
    },
    sealing: {
      ...real.sealing,
      get: async (ref) => {
        needJob(ref);
        return real.sealing.get(ref);
      },
      succeed: async (attempt, to, atMs) => {
        needJob(attempt);
        return real.sealing.succeed(attempt, to, atMs);
      },
      fail: async (attempt, to, atMs) => {
        needJob(attempt);
        return real.sealing.fail(attempt, to, atMs);
      },
    },
    placements: unreadablePlacements(real, {
      need,
      needJob,
      forget,
      isFull: (team) => team !== undefined && is("team counter", team),
      aside,
    }),
  };
}

type Needs = {
  readonly need: (kind: SpoiledKind, name: string) => void;
  readonly needJob: (ref: JobRef) => void;
  readonly isFull: (team: string | undefined) => boolean;
  readonly forget: (kind: SpoiledKind, name: string) => void;
  readonly aside: Set<string>;
};

/** What a decision writes about an item that became unreadable after it was read. */
function unreadablePlacements({ placements: real, nodeReader }: LedgerPorts, { need, needJob, isFull, forget, aside }: Needs): Placements {
  /** A counter that is no number can neither be raised nor lowered. */
  const needCounters = async (pool: string, node: string): Promise<void> => {
    need("pool counter", pool);
    const team = (await nodeReader.find(node))?.team;
    if (isFull(team)) throw new FleetError("table", `the counter of team ${team} is not a number`);
  };
  /** Returns the write, which needs the job's item first. */
  const first =
    <Of>(jobOf: (of: Of) => JobRef, write: (fence: Fence, of: Of) => Promise<Written>) =>
    async (fence: Fence, of: Of): Promise<Written> => {
      needJob(jobOf(of));
      return write(fence, of);
    };
  return {
    ...real,
    bind: first(({ entry }) => entry, real.bind),
    bindGang: first(({ entry }) => entry, real.bindGang),
    rebind: first(({ attempt }) => attempt, real.rebind),
    move: first(({ entry }) => entry, real.move),
    hold: first(({ entry }) => entry, real.hold),
    fail: first(({ attempt }) => attempt, real.fail),
    setAside: async (fence, entry) => {
      const written = await real.setAside(fence, entry);
      if (written === "done") aside.add(jobName(entry));
      return written;
    },
    takeBack: first(({ assignment }) => assignment, real.takeBack),
    intend: async (fence, launch, limits) => {
      need("pool counter", fence.pool);
      return isFull(launch.team) && limits.team ? { limit: "team" as const } : real.intend(fence, launch, limits);
    },
    settle: async (fence, settled) => {
      need("pool counter", fence.pool);
      if (isFull(settled.launch.team)) throw new FleetError("table", `the counter of team ${settled.launch.team} is not a number`);
      const written = await real.settle(fence, settled);
      // A decision that had read it before may still settle it, which deletes the item.
      if (written === "done") forget("launch", settled.launch.id);
      return written;
    },
    terminating: async (fence, node, atMs) => {
      need("node", node);
      await needCounters(fence.pool, node);
      return real.terminating(fence, node, atMs);
    },
    removeNode: async (fence, node, atMs) => {
      need("node", node);
      await needCounters(fence.pool, node);
      return real.removeNode(fence, node, atMs);
    },
  };
}

/** The kinds as problems name them. */
const kindsInTable: Readonly<Record<SpoiledKind, UnreadableItem["kind"]>> = {
  node: "node",
  launch: "launch",
  "queue entry": "queue entry",
  refusal: "refusal",
  "boot failure": "boot failure",
  "team counter": "counter",
  "team costs": "counter",
  "pool counter": "counter",
  catalogue: "counter",
  job: "job",
  overrides: "overrides",
};
