import type { PlanJob } from "../../../events/tables/plan-job.ts";
import type { PlanNode, PlanOffer } from "../../../events/tables/plan-offer.ts";
import { usable } from "../../model/offer.ts";
import type { FreeNode, JobClass, Problem, Supply } from "../../optimizer/problem/problem.ts";

export type PlanInput = {
  readonly jobs: readonly PlanJob[];
  readonly offers: readonly PlanOffer[];
  readonly nodes: readonly PlanNode[];
};

export type PlanBounds = {
  /** Limit of all launches together. */
  readonly usdPerHour?: number | undefined;
  readonly gpus?: number | undefined;
  /** Whether jobs may use all of an instance. Otherwise the host reserves what the fleet's hosts reserve. */
  readonly wholeNodes?: boolean | undefined;
};

/** The names of the limits, as reasons show them. */
export const limitNames = { usdPerHour: "dollars an hour", gpus: "GPUs" } as const;

/** Converts the tables to a problem for the optimizer. */
export function problemOf({ jobs, offers, nodes }: PlanInput, bounds: PlanBounds = {}): Problem {
  const limits = [
    { name: limitNames.usdPerHour, most: bounds.usdPerHour },
    { name: limitNames.gpus, most: bounds.gpus },
  ].flatMap(({ name, most }) => (most === undefined ? [] : { name, most }));
  const held = Map.groupBy(
    jobs.filter(({ node }) => node !== undefined),
    ({ node }) => node,
  );
  return {
    dimensions: ["vCPUs", "GiB of memory"],
    jobs: classesOf(jobs.filter(({ node }) => node === undefined)),
    nodes: nodes.map((node) => nodeOf(node, held.get(node.id) ?? [])),
    offers: offers.map((offer) => supplyOf(offer, bounds)),
    ...(limits.length > 0 ? { limits } : {}),
  };
}

/** Groups jobs with equal needs and priority into classes, whichever rows they come from. */
function classesOf(jobs: readonly PlanJob[]): readonly JobClass[] {
  const alike = Map.groupBy(jobs, ({ id: _id, count: _count, node: _node, ...needs }) => JSON.stringify(needs));
  return [...alike.values()].flatMap((rows) => {
    const [first] = rows;
    return first ? { ...needOf(first), names: rows.flatMap(namesOf) } : [];
  });
}

/** Returns the names of a row's jobs: `train`, or `train#1` to `train#8` if the row stands for eight. */
export const namesOf = ({ id, count }: Pick<PlanJob, "id" | "count">): readonly string[] =>
  count === 1 ? [id] : Array.from({ length: count }, (_, index) => `${id}#${index + 1}`);

const needOf = (job: PlanJob): Omit<JobClass, "names"> => ({
  size: [job.vcpus, job.memoryGiB],
  spot: job.spot,
  priority: job.priority,
  ...(job.deadlineHours === undefined ? {} : { deadlineHours: job.deadlineHours }),
  ...(job.gpus > 0
    ? { gpu: { count: job.gpus, memoryGiB: job.gpuMemoryGiB, models: job.gpuModels.map((model) => model.toLowerCase()) } }
    : {}),
  ...(job.nodes > 1 ? { nodes: job.nodes } : {}),
  ...(Object.keys(job.datasets).length > 0 ? { data: job.datasets } : {}),
});

function supplyOf(offer: PlanOffer, { wholeNodes = false }: PlanBounds): Supply {
  const { instanceType: type, zone, market, usdPerHour, gpus, slices, most } = offer;
  const raw = { vcpus: offer.vcpus, memoryGiB: offer.memoryGiB, gpus };
  const { vcpus, memoryGiB } = wholeNodes ? raw : usable(raw);
  return {
    name: `${type}/${zone}/${market}`,
    type,
    zone,
    market,
    usdPerHour,
    capacity: [vcpus, memoryGiB],
    interruptionsPerHour: offer.interruptionsPerHour,
    most,
    uses: { [limitNames.usdPerHour]: usdPerHour, [limitNames.gpus]: gpus },
    ...(gpus > 0 ? { gpu: { model: offer.gpuModel ?? "", memoryGiB: offer.gpuMemoryGiB, count: gpus * slices } } : {}),
  };
}

const nodeOf = (node: PlanNode, runs: readonly PlanJob[]): FreeNode => ({
  name: node.id,
  type: node.instanceType,
  zone: node.zone,
  market: node.market,
  room: [node.freeVcpus, node.freeMemoryGiB],
  gpusFree: node.gpusFree,
  warm: node.datasets,
  usdPerHour: node.usdPerHour,
  ...(runs.length > 0 ? { holds: classesOf(runs) } : {}),
  ...(node.gpusFree.length > 0 ? { gpu: { model: node.gpuModel ?? "", memoryGiB: node.gpuMemoryGiB } } : {}),
});
