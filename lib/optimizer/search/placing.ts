import type { Learned } from "../../model/plan.ts";
import type { SolveProgram } from "../../model/planning/linear-program.ts";
import { lowerBound } from "../bounds/bound.ts";
import type { BinPattern } from "../bounds/master.ts";
import { type Budget, Counted } from "../problem/budget.ts";
import { keyOf } from "../problem/classes.ts";
import { type Instance, instanceOf } from "../problem/instance.ts";
import { type JobClass, type Problem, type Supply, standardTerms } from "../problem/problem.ts";
import { standardThresholds, type Thresholds } from "../problem/thresholds.ts";
import type { EngineName } from "./engines.ts";
import { fillNodes } from "./fill-nodes.ts";
import { floorUsd } from "./floor.ts";
import { boundGang, cheapestFor } from "./gangs.ts";
import { LimitLedger } from "./limits.ts";
import { namedBins } from "./names.ts";
import { type Earned, plus, search } from "./portfolio.ts";
import { whyWaiting } from "./reasons.ts";
import { type NodeRoom, needOf, restOf, roomsOf, takes } from "./rooms.ts";
import type { Binding, Purchase, Solution } from "./solution.ts";
import { costOfPlan } from "./solution.ts";

export type PlacingOptions = {
  readonly budget: Counted;
  readonly boundBudget?: Budget | undefined;
  readonly seed: number;
  readonly engines?: readonly EngineName[] | undefined;
  readonly learned?: Learned | undefined;
  readonly solve?: SolveProgram | undefined;
  readonly thresholds?: Thresholds | undefined;
};

/** A search with its input and its bound. */
type Searching = {
  readonly instance: Instance;
  readonly jobs: readonly JobClass[];
  readonly known: readonly BinPattern[];
  readonly bound: number;
};

/** A plan in progress: what is still free, what is bought, and which jobs wait. */
export class Placing {
  readonly #problem: Problem;
  readonly #options: PlacingOptions;
  readonly #thresholds: Thresholds;
  readonly #rooms: readonly NodeRoom[];
  readonly #ledger: LimitLedger;
  readonly #purchases: Purchase[] = [];
  readonly #waiting: JobClass[] = [];
  readonly #priceOf: (offer: Supply) => number;
  #gangsBound = 0;
  #engine = "greedy";
  #searches = 0;
  #searched: Searching | undefined;
  #gangsOnNodes = 0;
  #learned: Learned;
  readonly #earned: Record<string, Earned> = {};

  constructor(problem: Problem, options: PlacingOptions) {
    this.#problem = problem;
    this.#options = options;
    this.#thresholds = options.thresholds ?? standardThresholds;
    this.#rooms = roomsOf(problem.nodes);
    this.#ledger = new LimitLedger(problem);
    this.#learned = options.learned ?? {};
    const { hoursLostAtInterruption } = { ...standardTerms, ...problem.terms };
    this.#priceOf = (offer) => offer.usdPerHour * (1 + (offer.interruptionsPerHour ?? 0) * hoursLostAtInterruption);
  }

  get someWait(): boolean {
    return this.#waiting.length > 0;
  }

  place(all: readonly JobClass[]): void {
    const jobs = all.filter((each) => each.names.length > 0);
    for (const gang of jobs.filter((each) => (each.nodes ?? 1) > 1)) this.#placeGangs(gang);
    let left = jobs.filter((each) => (each.nodes ?? 1) === 1);
    if (this.#rooms.length > this.#thresholds.maxNodesInSearch) left = fillNodes(left, this.#rooms);
    // If a limit refused some of the bins, another offer may hold their jobs, so the search repeats as long as it places jobs.
    for (let before = Number.POSITIVE_INFINITY; left.length > 0 && countOf(left) < before; ) {
      before = countOf(left);
      left = this.#search(left);
    }
    this.#waiting.push(...left);
  }

  #placeGangs(gang: JobClass): void {
    for (const [index, name] of gang.names.entries()) {
      const rooms = boundGang(gang, this.#rooms);
      for (const room of rooms ?? []) room.jobs.push(name);
      if (rooms) {
        this.#gangsOnNodes += 1;
        continue;
      }
      const nodes = gang.nodes ?? 1;
      const offer = cheapestFor(gang, this.#ledger.within(this.#problem.offers, nodes), this.#priceOf);
      if (!offer) {
        this.#waiting.push({ ...gang, names: gang.names.slice(index) });
        return;
      }
      this.#ledger.take(offer, nodes);
      this.#purchases.push({ offer, jobs: [name], nodes });
      // The bound counts the gang only if the nodes could not hold it even while they were free of this plan's other jobs.
      const least = cheapestFor(gang, this.#problem.offers, this.#priceOf);
      if (least && !boundGang(gang, roomsOf(this.#problem.nodes))) this.#gangsBound += nodes * this.#priceOf(least);
    }
  }

  /** Places the jobs that it can. Returns the others. */
  #search(jobs: readonly JobClass[]): JobClass[] {
    const nodes = this.#rooms.length > this.#thresholds.maxNodesInSearch ? [] : this.#rooms.map(restOf);
    const offers = this.#ledger.within(this.#problem.offers, 1);
    const instance = instanceOf({ ...this.#problem, jobs, nodes, offers }, this.#thresholds);
    const found = search(instance, { ...this.#options, learned: this.#learned });
    this.#note(found);
    this.#searches += 1;
    this.#searched = { instance, jobs, known: found.known, bound: found.bound };
    const { bins, waiting } = namedBins(instance, found.packing);
    const refused = [...waiting];
    for (const bin of bins) {
      // If shares of GPUs do not fit in the order in which they are filled here, the next search places them.
      if (bin.node !== undefined) refused.push(...fillNodes(bin.jobs, [this.#room(bin.node)]));
      else if (this.#ledger.take(bin.offer, 1))
        this.#purchases.push({ offer: bin.offer, jobs: bin.jobs.flatMap((each) => each.names).sort(), nodes: 1 });
      else refused.push(...bin.jobs);
    }
    return joined(refused);
  }

  #room(node: string): NodeRoom {
    return this.#rooms.find((room) => room.node.name === node) as NodeRoom;
  }

  #note(found: ReturnType<typeof search>): void {
    this.#learned = found.learned;
    if (found.engine !== "greedy") this.#engine = found.engine;
    for (const [name, each] of Object.entries(found.earned)) this.#earned[name] = plus(this.#earned[name], each);
  }

  solution(): Solution {
    const bindings: Binding[] = this.#rooms
      .filter((room) => room.jobs.length > 0)
      .map(({ node, jobs }) => ({ node: node.name, jobs: jobs.toSorted() }));
    const waiting = joined(this.#waiting).map((job) => ({
      jobs: job.names,
      ...whyWaiting(job, this.#problem.offers, this.#ledger.rest()),
    }));
    const plan = { bindings, purchases: this.#purchases };
    const cost = costOfPlan(this.#problem, { ...plan, waiting: this.#waiting });
    const { boundUsd: foundUsd, boundSteps } = this.#bound();
    const boundUsd = Math.max(foundUsd, this.#floor());
    const placed = cost.fleetUsd + cost.interruptionsUsd + cost.dataUsd;
    return {
      ...plan,
      waiting,
      cost,
      boundUsd: Math.min(boundUsd, placed),
      gap: boundUsd > 0 ? Math.max(0, placed / boundUsd - 1) : placed > 0 ? undefined : 0,
      engine: this.#engine,
      steps: this.#options.budget.enough,
      boundSteps,
      earned: this.#earned,
      learned: this.#learned,
    };
  }

  /** Returns the lower bound for the jobs that have a place. */
  #bound(): { boundUsd: number; boundSteps: number } {
    const { boundBudget } = this.#options;
    if (!boundBudget) return { boundUsd: this.#quickBound() + this.#gangsBound, boundSteps: 0 };
    const { instance, known, bound: searched } = this.#onlySearch() ?? { instance: this.#placedInstance(), known: [], bound: 0 };
    const counts = Float64Array.from(instance.shapes, (shape) => shape.count);
    const budget = new Counted(boundBudget);
    const bound = lowerBound(instance, counts, { known, budget });
    return { boundUsd: Math.max(bound, searched) * instance.usd + this.#gangsBound, boundSteps: budget.enough };
  }

  /** Returns the bound that no search has to find. */
  #floor(): number {
    const { nodes, offers } = this.#problem;
    const jobs = this.#placed().filter((job) => (job.nodes ?? 1) === 1);
    return floorUsd({ jobs, nodes, offers, priceOf: this.#priceOf }) + this.#gangsBound;
  }

  /** Returns the bound of the search's own prices, or 0 if the search did not have all jobs for which something had to be bought. */
  #quickBound(): number {
    const searched = this.#searched;
    if (!searched?.instance.isExact || this.#searches > 1 || this.someWait) return 0;
    const rooms = roomsOf(this.#problem.nodes);
    const isOurs =
      rooms.length <= this.#thresholds.maxNodesInSearch ||
      searched.jobs.every((job) => !rooms.some((room) => takes(room, job, needOf(job))));
    return isOurs && this.#gangsOnNodes === 0 ? searched.bound * searched.instance.usd : 0;
  }

  /** Returns the search if there was only one and its input was the whole problem, or else undefined. */
  #onlySearch(): Searching | undefined {
    const isOnly =
      this.#searches === 1 && !this.someWait && this.#rooms.length <= this.#thresholds.maxNodesInSearch && this.#gangsOnNodes === 0;
    return isOnly && this.#searched?.instance.isExact ? this.#searched : undefined;
  }

  #placedInstance(): Instance {
    return instanceOf({ ...this.#problem, jobs: this.#placed(), limits: [] }, { ...this.#thresholds, rounding: "down" });
  }

  /** Returns the jobs that have a place. */
  #placed(): readonly JobClass[] {
    const { jobs } = this.#problem;
    const waits = new Set(this.#waiting.flatMap((job) => job.names));
    if (waits.size === 0) return jobs.filter((job) => job.names.length > 0);
    return jobs.map((job) => ({ ...job, names: job.names.filter((name) => !waits.has(name)) })).filter((job) => job.names.length > 0);
  }
}

const countOf = (jobs: readonly JobClass[]): number => jobs.reduce((sum, job) => sum + job.names.length, 0);

/** Joins the parts of each class. */
function joined(jobs: readonly JobClass[]): JobClass[] {
  const parts = new Map<string, JobClass>();
  for (const job of jobs) {
    const key = keyOf(job);
    const known = parts.get(key);
    parts.set(key, known ? { ...job, names: [...known.names, ...job.names] } : job);
  }
  return [...parts.values()].map((job) => ({ ...job, names: job.names.toSorted() }));
}
