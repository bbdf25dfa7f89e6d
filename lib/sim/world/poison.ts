import { isEnded, type Job, jobName } from "../../model/job.ts";
import type { Launch } from "../../model/launch.ts";
import { subjectName } from "../../model/refusal.ts";
import type { Faults } from "../faults/faults.ts";
import { type MemoryTable, nodeKey } from "../memory/table.ts";
import { type Spoiled, type SpoiledItem, type SpoiledKind, spoiledKinds } from "../memory/unreadable.ts";
import type { SimClock } from "./clock.ts";
import type { Fact } from "./facts.ts";
import type { Scenario } from "./scenario.ts";
import type { WorldView } from "./seen.ts";

export type PoisonWorld = {
  readonly clock: SimClock;
  readonly faults: Faults;
  readonly table: MemoryTable;
  readonly spoiled: Spoiled;
  readonly scenario: Pick<Scenario, "teams" | "minutes" | "unreadable">;
  readonly emit: (fact: Fact) => void;
};

const tryEveryMs = 500;

/** Makes one item unreadable at some time of a run, of the kind whose turn it is, as soon as there is one. */
export function schedulePoison(seed: number, world: PoisonWorld): void {
  const { clock, faults, spoiled, scenario, emit } = world;
  if (!faults.draws("table.unreadable")) return;
  const chance = faults.chance("table.unreadable");
  const kind = scenario.unreadable ?? spoiledKinds[seed % spoiledKinds.length] ?? "node";
  const attempt = (): void => {
    if (faults.isCalm) return;
    const items = itemsOf(kind, world);
    if (items.length === 0) {
      clock.after(tryEveryMs, attempt);
      return;
    }
    const item = chance.pick(items);
    faults.count("table.unreadable", `${item.kind} ${item.name}`);
    spoiled.add(item);
    emit({ kind: "spoiled", item });
  };
  clock.after(chance.between(20_000, scenario.minutes * 30_000), attempt);
}

/** Returns the items of a kind that there are now. */
function itemsOf(kind: SpoiledKind, { table, scenario: { teams } }: PoisonWorld): readonly SpoiledItem[] {
  const pools = [...table.registry].sort();
  switch (kind) {
    case "node":
      return [...table.nodes.values()]
        .map(({ node }) => node)
        .filter(({ state }) => state === "launching" || state === "ready")
        .map(({ id, pool, assignments }) => ({ kind, name: id, pool, jobs: assignments }));
    case "launch":
      return [...table.openLaunches.values()].map(({ id, pool, jobs }) => ({ kind, name: id, pool, jobs }));
    case "queue entry":
      return [...table.queue.values()].map(({ pool, entry }) => ({ kind, name: jobName(entry), pool, jobs: [entry] }));
    case "refusal":
      return [...table.refusals.values()].map((each) => ({
        kind,
        name: subjectName(each),
        ...(each.why === "fault" && { pool: each.pool }),
      }));
    case "boot failure":
      return [...table.bootFailures].flatMap(([pool, failures]) => [...failures.keys()].map((name) => ({ kind, name, pool })));
    case "team counter":
      return [...table.teams.keys()].map((team) => ({ kind, name: team, team }));
    case "team costs":
      return teams.flatMap((team) => pools.map((pool) => ({ kind, name: `${pool} ${team}`, pool, team })));
    // A later release may have written overrides even if this one never did.
    case "overrides":
    case "pool counter":
      return pools.map((pool) => ({ kind, name: pool, pool }));
    case "catalogue":
      return [...table.catalogues.keys()].map((pool) => ({ kind, name: pool, pool }));
    case "job":
      return [...table.jobs.values()].filter(({ state }) => !isEnded(state)).map((job) => ({ kind, name: jobName(job), jobs: [job] }));
  }
}

/** Reports whether a job may have to wait until the item can be read. */
export function waitsFor(job: Job, { kind, name, pool, team, jobs = [] }: SpoiledItem): boolean {
  if (jobs.some((each) => jobName(each) === jobName(job))) return true;
  if (kind === "team counter") return job.team === team;
  if (kind === "pool counter" || kind === "overrides") return job.pool === pool;
  if (kind !== "node") return false;
  // A gang may have left a member on the node, so no gang of the pool begins again.
  return job.node === name || job.gang?.includes(name) === true || (job.pool === pool && (job.spec?.nodes ?? 1) > 1);
}

/** Returns what does not go on although it does not depend on the unreadable item; undefined if everything else is done. */
export function stillGoing(sent: Iterable<string>, item: SpoiledItem, { table, fleet }: WorldView): string | undefined {
  for (const name of sent) {
    const job = table.jobs.get(name);
    if (!job) return `${name} has no record`;
    if (!isEnded(job.state) && !waitsFor(job, item)) return `${name} is ${job.state}${job.reason ? ` (${job.reason})` : ""}`;
  }
  const isAffected = (each: LiveInstance): boolean => each.id === item.name || each.launch.id === item.name || mayStay(each, item, table);
  const live = fleet.live.find((each) => !isAffected(each));
  return live && `${live.id} is live`;
}

type LiveInstance = { readonly id: string; readonly launch: Pick<Launch, "id" | "pool" | "team"> };

/** Reports whether an instance may stay because of the item: it belongs to what cannot be counted, or to a job that waits. */
function mayStay({ id, launch }: LiveInstance, item: SpoiledItem, table: MemoryTable): boolean {
  if (item.kind === "team counter") return launch.team === item.team;
  if (item.kind === "pool counter") return launch.pool === item.pool;
  if (item.kind !== "job" && item.kind !== "node") return false;
  const job = item.kind === "job" ? table.jobs.get(item.name) : undefined;
  // A node with room is kept for a job that waits, although it cannot be placed there.
  if (job?.state === "queued" && job.pool === launch.pool) return true;
  const held = table.nodes.get(nodeKey(launch.pool, id))?.node.assignments ?? [];
  return held.some((each) => {
    const its = table.jobs.get(jobName(each));
    return its !== undefined && waitsFor(its, item);
  });
}
