import { seeded } from "../../lib/optimizer/engines/random.ts";
import type { BenchOptions } from "./bench.ts";
import { arrivalsOf, gpusOf } from "./cluster/arrivals.ts";
import { type Cluster, publicClusters } from "./cluster/data.ts";
import { madeClusters } from "./cluster/made.ts";
import { fgd, rivals } from "./cluster/rivals.ts";
import type { Report, Row } from "./report.ts";
import { type Chooser, fixedRooms, mostUseful, roomOf, take } from "./research/fixed/choose.ts";
import { type Demand, gpuTotal, type Need } from "./research/fixed/needs.ts";

/** Targets in percent of all GPUs: on the mean of all workloads, the least advantage over FGD; on any one of them, the most deficit. */
const aboveFgd = 0.3;
/** The made clusters are small, so every rule fills them almost completely. */
const aboveFgdOnMade = 0;
const belowFgd = 0.3;
/** How far our replica of FGD may differ from the figures that its authors report. */
const offPublished = 0.5;

/**
 * The set-up of FGD: jobs arrive one by one at a fixed number of nodes, until they have requested 130 % of all GPUs. Each is placed
 * at once and for good if a node holds it, and is lost otherwise. The result is the share of all GPUs that are in use at the end. Like
 * FGD, all rules know how often each kind of job arrives. No rule refuses a job that fits.
 */
export function fixedCluster({ data, seeds = 5 }: BenchOptions): Promise<Report> {
  const clusters = data === undefined ? madeClusters() : publicClusters(data);
  const measured = clusters.map((cluster) => ({ cluster, ...measure(cluster, seeds) }));
  const row = (of: Pick<Row, "case" | "value" | "rivals" | "target">): Row => ({
    ...of,
    metric: "GPUs in use",
    unit: "%",
    limit: 100,
    better: "higher",
  });
  const rows = measured.map(({ cluster, ours, theirs }) =>
    row({ case: cluster.name, value: ours, rivals: theirs, target: hundredths((theirs[fgd.name] ?? 0) - belowFgd) }),
  );
  const names = rivals.map(({ name }) => name);
  const theirMeans = Object.fromEntries(names.map((name) => [name, mean(measured.map(({ theirs }) => theirs[name] ?? 0))]));
  const target = hundredths((theirMeans[fgd.name] ?? 0) + (data === undefined ? aboveFgdOnMade : aboveFgd));
  rows.push(row({ case: "mean", value: mean(measured.map(({ ours }) => ours)), rivals: theirMeans, target }));
  for (const { cluster, theirs } of measured) {
    if (cluster.published === undefined) continue;
    const value = Math.abs((theirs[fgd.name] ?? 0) - cluster.published);
    const rest = { metric: "replica of FGD, off the published", unit: "points", rivals: { published: cluster.published } };
    rows.push({ ...rest, case: cluster.name, value, target: offPublished, limit: 0, better: "lower" });
  }
  return Promise.resolve({ bench: "fixed-cluster", seeds, rows });
}

function measure(cluster: Cluster, seeds: number): { readonly ours: number; readonly theirs: Readonly<Record<string, number>> } {
  const demand = demandOf(cluster.pods);
  const total = gpusOf(cluster.nodes);
  // Each run has a chooser of its own, because the shapes of several runs would fill the memory.
  const runsOf = (newChooser: () => Chooser, isOurs: boolean): number =>
    mean(
      Array.from({ length: seeds }, (_, index) => {
        const chooser = newChooser();
        const { pods, nodes } = arrivalsOf(cluster, seeded(index + 1));
        const rooms = isOurs ? fixedRooms(nodes, chooser.shapes) : nodes.map((node) => roomOf(node, chooser.shapes));
        return (100 * inUse(pods, { chooser, rooms })) / total;
      }),
    );
  const ours = runsOf(() => mostUseful(demand), true);
  const theirs = Object.fromEntries(rivals.map(({ name, chooser }) => [name, runsOf(() => chooser(demand, seeded(7)), false)]));
  return { ours, theirs };
}

function inUse(pods: readonly Need[], { chooser, rooms }: { chooser: Chooser; rooms: ReturnType<typeof fixedRooms> }): number {
  let taken = 0;
  for (const need of pods) {
    const choice = chooser.choose(rooms, need);
    if (!choice) continue;
    take(choice, need);
    taken += gpuTotal(need);
  }
  for (const { node, gpus, memoryMiB, shape } of rooms) {
    const left = gpus.toSorted((a, b) => a - b);
    if (memoryMiB < 0 || shape.vcpuMilli < 0 || left.some((each, at) => each < 0 || each !== shape.gpus[at]))
      throw new Error(`${node.name} is overfull`);
  }
  return taken;
}

function demandOf(pods: readonly Need[]): Demand {
  const counts = new Map<Need, number>();
  for (const pod of pods) counts.set(pod, (counts.get(pod) ?? 0) + 1);
  return [...counts].map(([need, count]) => ({ need, count }));
}

const mean = (all: readonly number[]): number => all.reduce((sum, each) => sum + each, 0) / all.length;
const hundredths = (value: number): number => Math.round(100 * value) / 100;
