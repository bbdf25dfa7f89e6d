import { type Offer, offerName } from "../../model/offer.ts";
import type { Step } from "../../model/plan.ts";
import type { Pool } from "../../model/pool.ts";
import { subjectName } from "../../model/refusal.ts";
import { times } from "../../model/reservations.ts";
import { dollars } from "../../model/values/amount.ts";
import type { CapacityView } from "../capacity/capacity-view.ts";
import type { Bundle } from "./bundles.ts";

/** The most nodes of one launch: its outcome is recorded in one transaction of at most 100 parts, two per node and a few more. */
export const maxNodes = 40;
/** The most jobs of one launch: its item holds 400 KB, and a job's name takes up to 150 bytes. */
const maxJobs = 1_000;

type LaunchStep = Extract<Step, { kind: "launch" }>;

/**
 * Returns one launch for all bundles of a team that have the same offers, because a request costs as much for forty
 * nodes as for one. EC2 may give fewer nodes than there are bundles; jobs that got none are then planned again. A gang has a launch of its
 * own. `whatElse` returns what to add to a launch's reason.
 */
export function launchesOf(
  bundles: readonly Bundle[],
  pool: Pool,
  whatElse: (first: Bundle) => string | undefined = () => undefined,
): LaunchStep[] {
  const launches: Bundle[][] = [];
  const open = new Map<string, Bundle[]>();
  for (const bundle of bundles) {
    const like = likeness(bundle);
    const joined = open.get(like);
    if (bundle.count === 1 && joined && joined.length < maxNodes && jobsOf(joined) + bundle.entries.length <= maxJobs) {
      joined.push(bundle);
      continue;
    }
    const begun = [bundle];
    launches.push(begun);
    if (bundle.count === 1) open.set(like, begun);
  }
  return launches.map((those) => launchOf(those, pool, whatElse));
}

/**
 * Returns the launches, without offers that an earlier launch of the plan already tries after their rest, because one launch is enough to
 * find out whether they are available. A launch with no other offer is left out; the next decision uses what the other finds.
 */
export function probesShared(launches: readonly LaunchStep[], seen: CapacityView): LaunchStep[] {
  const taken = new Set<string>();
  return launches.flatMap((step) => {
    const { launch } = step;
    const types = new Map(launch.types.map((type) => [type.name, type]));
    const count = launch.whole ? launch.count : 1;
    const probes = new Set<string>();
    const offers = launch.offers.filter((offer) => {
      const type = types.get(offer.instanceType);
      const subjects = type ? seen.against({ offer, type, count }).map(subjectName) : [];
      if (subjects.some((subject) => taken.has(subject))) return false;
      for (const subject of subjects) probes.add(subject);
      return true;
    });
    for (const subject of probes) taken.add(subject);
    return offers.length === 0 ? [] : [offers.length === launch.offers.length ? step : narrowed(step, offers)];
  });
}

/** Returns the launch with fewer offers, which reserves no more than those need. */
function narrowed(step: LaunchStep, offers: readonly Offer[]): LaunchStep {
  const types = step.launch.types.filter(({ name }) => offers.some(({ instanceType }) => instanceType === name));
  const reserved = times(step.launch.count, {
    usdPerHour: Math.max(...offers.map(({ usdPerHour }) => usdPerHour)),
    gpus: Math.max(...types.map(({ resources }) => resources.gpus)),
  });
  return { ...step, launch: { ...step.launch, offers, types, reserved } };
}

const jobsOf = (bundles: readonly Bundle[]): number => bundles.reduce((sum, { entries }) => sum + entries.length, 0);
const likeness = ({ team, offers }: Bundle): string => [team ?? "", ...offers.map(offerName)].join(" ");

/** Bundles with the same offers reserve the same: the price of the most expensive one and the GPUs of the largest one. */
function launchOf(bundles: readonly Bundle[], pool: Pool, whatElse: (first: Bundle) => string | undefined): LaunchStep {
  const [first] = bundles;
  if (!first) throw new Error("a launch needs at least one bundle");
  const why = becauseOf(first, { nodes: bundles.length, jobs: jobsOf(bundles) });
  const more = whatElse(first);
  const because = more === undefined ? why : `${why}; ${more}`;
  return {
    kind: "launch",
    because,
    launch: {
      pool: pool.name,
      team: first.team,
      market: first.offers[0]?.market ?? "on-demand",
      offers: first.offers,
      types: first.types,
      jobs: bundles.flatMap(({ entries }) => entries.map(({ team, job }) => ({ team, job }))),
      count: first.count * bundles.length,
      whole: first.count > 1,
      reserved: times(bundles.length, first.reserved),
      because,
    },
  };
}

function becauseOf({ count, offers, usdPerHour }: Bundle, { nodes, jobs }: { nodes: number; jobs: number }): string {
  const [cheapest] = offers;
  const waits = count > 1 ? `a gang of ${count} waits` : jobs === 1 ? "a job waits" : `${jobs} jobs wait`;
  const wanted = nodes > 1 ? ` for ${nodes} nodes` : "";
  return `${waits}${wanted}; ${cheapest?.instanceType} ${cheapest?.market} at ${dollars(usdPerHour)}/h is the cheapest that holds ${jobs === 1 ? "it" : "them"}`;
}
