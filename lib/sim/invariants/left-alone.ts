import { type Job, jobName } from "../../model/job.ts";
import type { Launch } from "../../model/launch.ts";
import { own } from "../../model/values/own.ts";
import type { SpoiledItem } from "../memory/unreadable.ts";
import type { Fact } from "../world/facts.ts";
import { stillGoing } from "../world/poison.ts";
import type { WorldView } from "../world/seen.ts";
import type { Invariant, InvariantBreach } from "./invariant.ts";

/** A decision that has read the item before may still write for this long. */
const graceMs = 60_000;

type Spoilt = { readonly item: SpoiledItem; readonly sinceMs: number };

/** 11: what an unreadable item stands for is left alone and named, and everything else goes on. */
export const leftAlone: Invariant = {
  number: 11,
  name: "what cannot be read is left alone",
  says: "What an unreadable item stands for is not ended, released or begun again. Problems name the item, and everything else goes on.",
  watch: (seen) => {
    const sent = new Set<string>();
    let spoilt: Spoilt | undefined;
    let problems: readonly string[] = [];
    return {
      on: (fact) => {
        if (fact.kind === "sent") sent.add(jobName(fact));
        if (fact.kind === "spoiled") spoilt = fact.item && { item: fact.item, sinceMs: seen().nowMs };
        if (fact.kind === "problems") problems = fact.names;
        if (!spoilt) return undefined;
        const now = seen();
        if (!now.unreadable) return undefined;
        return now.nowMs < spoilt.sinceMs + graceMs ? undefined : touched(fact, spoilt.item, now);
      },
      beforeRepair: () => {
        const now = seen();
        if (!spoilt || !now.unreadable) return undefined;
        const { item } = spoilt;
        const what = `the ${item.kind} ${item.name}`;
        if (isNamed(item) && !problems.includes(item.name)) return `${what} cannot be read, and no problem names it`;
        const going = stillGoing(sent, item, now);
        return (going && `${going}, although only ${what} cannot be read`) ?? missing(item, now);
      },
    };
  },
};

/** Kinds that problems of a pool name. */
const isNamed = ({ kind }: SpoiledItem): boolean => !["pool counter", "catalogue", "job"].includes(kind);

function touched(fact: Fact, item: SpoiledItem, now: WorldView): InvariantBreach {
  const what = `although the ${item.kind} ${item.name} cannot be read`;
  if (fact.kind === "terminated") return item.kind === "node" && fact.id === item.name ? `${fact.id} was ended ${what}` : undefined;
  if (fact.kind === "instance") return mayBeLaunched(fact.launch, item, now) ? undefined : `${fact.id} was launched ${what}`;
  return fact.kind === "job" && isOf(fact.after, item) ? begunAgain(fact, item, what) : undefined;
}

/** Reports whether a launch depends on the item: it needs the counter, or it is for jobs of the launch that cannot be read. */
function mayBeLaunched({ id, pool, team, jobs }: Launch, item: SpoiledItem, { limits }: WorldView): boolean {
  if (item.kind === "pool counter") return pool !== item.pool;
  if (item.kind === "team counter") return team !== item.team || own(limits.teams, team) === undefined;
  return item.kind !== "launch" || id === item.name || !(jobs ?? []).some((job) => isOf(job, item));
}

const isOf = (job: { readonly team: string; readonly job: string }, { jobs = [] }: SpoiledItem): boolean =>
  jobs.some((each) => jobName(each) === jobName(job));

function begunAgain({ before, after }: Extract<Fact, { kind: "job" }>, item: SpoiledItem, what: string): InvariantBreach {
  const moved = `${jobName(after)} became ${after.state} ${what}`;
  if (item.kind === "job") return before?.state === after.state ? undefined : moved;
  if (item.kind === "queue entry") return after.state === "placed" ? moved : undefined;
  return item.kind === "node" && wasOn(before, item.name) && after.attempt > (before?.attempt ?? 0) ? moved : undefined;
}

/** Gangs are exempt, because another member's node may be lost. */
const wasOn = (job: Job | undefined, node: string): boolean => job?.node === node && job.gang === undefined;

/** What the item stands for must still be there, and what it has reserved, too. */
function missing({ kind, name, pool }: SpoiledItem, { table }: WorldView): InvariantBreach {
  const reserved = pool === undefined ? undefined : table.reserved(pool);
  if (kind === "node") {
    const row = [...table.nodes.values()].find(({ node }) => node.id === name);
    if (!row) return `the node ${name} cannot be read and was removed`;
    if (row.released) return `the node ${name} cannot be read and was released`;
    return (reserved?.gpus ?? 0) < row.node.type.resources.gpus
      ? `the node ${name} cannot be read, and its GPUs are not reserved`
      : undefined;
  }
  if (kind !== "launch") return undefined;
  const launch = table.openLaunches.get(name);
  if (!launch) return `the launch ${name} cannot be read and was settled`;
  return (reserved?.gpus ?? 0) < launch.reserved.gpus ? `the launch ${name} cannot be read, and its GPUs are not reserved` : undefined;
}
