import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { rowsOf } from "../fleet/data.ts";
import type { FixedNode } from "../research/fixed/choose.ts";
import { type Need, wholeGpu } from "../research/fixed/needs.ts";

/** A cluster of fixed size, and the pods that should run on it. */
export type Cluster = {
  readonly name: string;
  readonly nodes: readonly FixedNode[];
  readonly pods: readonly Need[];
  /** What the authors of FGD's paper report for their own policy on it, in percent; undefined if they report nothing. */
  readonly published?: number | undefined;
};

const folder = "alibaba-openb";
const listName = /^openb_pod_list_(\w+)\.csv\.gz$/;

/**
 * Returns the GPU nodes of `alibaba-openb` in a folder of public data, with each list of pods for which `fgd-expected` has a figure, or
 * with all lists if there are no figures.
 */
export function publicClusters(data: string): readonly Cluster[] {
  const nodes = rowsOf(join(data, folder, "openb_node_list_gpu_node.csv.gz")).map((row) => ({
    name: row["sn"] ?? "",
    model: row["model"] ?? "",
    vcpuMilli: Number(row["cpu_milli"]),
    memoryMiB: Number(row["memory_mib"]),
    gpus: Array.from({ length: Number(row["gpu"]) }, () => wholeGpu),
  }));
  const published = publishedFigures(join(data, "fgd-expected", "analysis_allo_discrete.csv.gz"));
  return readdirSync(join(data, folder))
    .flatMap((file) => listName.exec(file)?.[1] ?? [])
    .filter((list) => published.size === 0 || published.has(list))
    .sort()
    .map((list) => ({
      name: list,
      nodes,
      pods: podsOf(join(data, folder, `openb_pod_list_${list}.csv.gz`)),
      published: published.get(list),
    }));
}

/** Returns the pods in order of name, because arrivals are drawn by index. Pods with the same needs share one object. */
function podsOf(path: string): readonly Need[] {
  const needs = new Map<string, Need>();
  return rowsOf(path)
    .toSorted((a, b) => ((a["name"] ?? "") < (b["name"] ?? "") ? -1 : 1))
    .map((row) => {
      const { cpu_milli: cpu, memory_mib: memory, num_gpu: gpus, gpu_milli: milli, gpu_spec: models = "" } = row;
      const key = [cpu, memory, gpus, milli, models].join();
      const need = needs.get(key) ?? {
        vcpuMilli: Number(cpu),
        memoryMiB: Number(memory),
        gpus: Number(gpus),
        gpuMilli: Number(gpus) === 0 ? 0 : Number(milli),
        models: models.split("|").filter((model) => model !== ""),
      };
      needs.set(key, need);
      return need;
    });
}

/** Returns, by list, what the authors' policy has allocated after 130 % have arrived, as the mean over their seeds. */
function publishedFigures(path: string): ReadonlyMap<string, number> {
  if (!existsSync(path)) return new Map();
  const theirs = rowsOf(path).filter((row) => row["sc_policy"] === "06-FGD");
  const byList = Map.groupBy(theirs, (row) => (row["workload"] ?? "").replace("openb_pod_list_", ""));
  return new Map([...byList].map(([list, rows]) => [list, rows.reduce((sum, row) => sum + Number(row["130"]), 0) / rows.length]));
}
