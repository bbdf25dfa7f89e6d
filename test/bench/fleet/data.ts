import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Random, seeded } from "../../../lib/optimizer/engines/random.ts";
import type { NamedJob, PlanningMarket, Supply } from "../../../lib/optimizer/problem/problem.ts";

/** The jobs and offers of a benchmark. All jobs accept spot if the offers are spot. */
export type Fleet = { readonly name: string; readonly jobs: readonly NamedJob[]; readonly offers: readonly Supply[] };

/**
 * Returns the pods of `alibaba-openb` with the offers of `catalog`, both in a folder of public data. Offers are x86 types at prices in
 * us-east-1, without metal and without accelerators other than NVIDIA's. The host keeps 0.2 vCPU and 8 % of the memory. Any GPU will do,
 * and a pod with a part of a GPU shares one.
 */
export function publicFleet(folder: string, market: "spot" | "on-demand", list = "default"): Fleet {
  const pods = rowsOf(join(folder, "alibaba-openb", `openb_pod_list_${list}.csv.gz`));
  const prices = new Map(rowsOf(join(folder, "catalog", "aws_offers_us-east-1.csv.gz")).map((row) => [row["instanceType"], row]));
  const jobs = pods.map((pod) => jobOf(pod, market));
  const offers = rowsOf(join(folder, "catalog", "aws_instance_types.csv")).flatMap((type) => {
    const price = prices.get(type["instanceType"] ?? "");
    return price ? offerOf(type, { price, market }) : [];
  });
  return { name: `openb ${list}, ${market}`, jobs, offers };
}

function jobOf(pod: Row, market: PlanningMarket): NamedJob {
  const gpus = Number(pod["num_gpu"]);
  const count = gpus === 1 ? Number(pod["gpu_milli"]) / 1000 : gpus;
  return {
    name: pod["name"] ?? "",
    size: [Number(pod["cpu_milli"]) / 1000, Number(pod["memory_mib"]) / 1024],
    spot: market === "spot",
    ...(count > 0 ? { gpu: { count } } : {}),
  };
}

function offerOf(type: Row, { price, market }: { price: Row; market: PlanningMarket }): Supply[] {
  const name = type["instanceType"] ?? "";
  const gpus = Number(type["gpuCount"]);
  const isForeign = Number(type["accelCount"] || 0) > 0 || (gpus > 0 && type["gpuMfr"]?.toLowerCase() !== "nvidia");
  if (!["amd64", "x86_64"].includes(type["arch"] ?? "") || name.includes("metal") || isForeign) return [];
  // A type for which the spot advisor shows no savings is not sold as spot.
  if (market === "spot" && !(Number(price["spotSavingsPct"]) > 0)) return [];
  const usdPerHour = Number(market === "spot" ? price["spotUSDh"] : price["onDemandUSDh"]);
  if (!(usdPerHour > 0)) return [];
  const capacity = [Number(type["vcpus"]) - 0.2, (Number(type["memoryMiB"]) / 1024) * 0.92];
  const gpu = gpus > 0 ? { count: gpus, model: type["gpuName"] ?? "", memoryGiB: Number(type["gpuMemMiB"]) / 1024 } : undefined;
  return [{ name, type: name, zone: "us-east-1", market, usdPerHour, capacity, gpu }];
}

type Row = Readonly<Record<string, string>>;

/** Returns the rows of a table whose first line has the names. The file may be compressed with gzip. */
export const rowsOf = (path: string): readonly Row[] => table(path, ",");
export const tabbedRowsOf = (path: string): readonly Row[] => table(path, "\t");

function table(path: string, between: string): readonly Row[] {
  const bytes = readFileSync(path);
  const [head = "", ...lines] = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8").trim().split(/\r?\n/);
  const names = head.split(between);
  return lines.map((line) => Object.fromEntries(line.split(between).map((value, index) => [names[index] ?? "", value])));
}

/** Families as clouds sell them: each size doubles the resources and the price. */
const families = [
  { name: "c", vcpus: 2, memoryGiB: 4, usd: 0.085, sizes: 7 },
  { name: "m", vcpus: 2, memoryGiB: 8, usd: 0.1, sizes: 7 },
  { name: "r", vcpus: 2, memoryGiB: 16, usd: 0.13, sizes: 7 },
  { name: "g", vcpus: 4, memoryGiB: 16, usd: 0.53, sizes: 5, gpu: "t4" },
  { name: "h", vcpus: 4, memoryGiB: 16, usd: 1.0, sizes: 5, gpu: "a10g" },
] as const;

/** Returns the made fleet that ships with the project: a hundred shapes of jobs, most with a GPU or a share of one. */
export function madeFleet(market: "spot" | "on-demand", jobs = 1_500): Fleet {
  const random = seeded(20_240_601);
  const shapes = Array.from({ length: 100 }, () => shapeOf(random));
  const spread = shapes.map(() => random() ** 3);
  const total = spread.reduce((sum, each) => sum + each, 0);
  const all = shapes.flatMap((shape, index) =>
    Array.from(
      { length: Math.ceil((jobs * (spread[index] ?? 0)) / total) },
      (_, nth): NamedJob => ({ ...shape, spot: market === "spot", name: `made-${index}-${nth}` }),
    ),
  );
  return { name: `made, ${market}`, jobs: all, offers: madeOffers(market, random) };
}

function shapeOf(random: Random): Omit<NamedJob, "name"> {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const size = [pick([0.5, 1, 2, 3.2, 4, 6, 8, 11.4, 12, 16, 24, 32]), pick([0.5, 1, 2, 4, 7.5, 12, 15.3, 24, 29.8, 48, 64])];
  const count = pick([0, 0, 0.2, 0.35, 0.46, 0.6, 1, 1, 1, 1, 2, 4]);
  return count > 0 ? { size, gpu: { count } } : { size };
}

function madeOffers(market: "spot" | "on-demand", random: Random): readonly Supply[] {
  return families.flatMap((family) =>
    Array.from({ length: family.sizes }, (_, size): Supply => {
      const times = 2 ** size;
      // Spot costs about a third, and a different share for each type.
      const usd = family.usd * times * (market === "spot" ? 0.25 + 0.2 * random() : 1);
      const name = `${family.name}.${times}`;
      const gpu = "gpu" in family ? { count: size < 3 ? 1 : times / 4, model: family.gpu, memoryGiB: 16 } : undefined;
      const capacity = [family.vcpus * times - 0.2, family.memoryGiB * times * 0.92];
      return { name, type: name, zone: "made", market, usdPerHour: Number(usd.toFixed(4)), capacity, gpu };
    }),
  );
}
