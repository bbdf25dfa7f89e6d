import { quotaCodeOf, quotaOf } from "../../../decide/capacity/quotas.ts";
import type { Market } from "../../../model/offer.ts";
import { increaseCommand } from "../findings/account-quotas.ts";
import { anError, aWarning, couldNotCheck, type Finding, type ReadFact } from "../findings/finding.ts";

/** A type that a pool may launch, with all its vCPUs, and the markets in which EC2 sells it. */
export type LaunchableType = { readonly name: string; readonly vcpus: number; readonly gpus: number; readonly markets: readonly Market[] };

export type PoolTypes = {
  readonly pool: string;
  readonly markets: readonly Market[];
  /** The most GPUs that the pool may have at a time. */
  readonly gpuLimit: number;
  readonly types: readonly LaunchableType[];
};

/** A quota that a pool's types count towards. `types`: those that do. */
type PoolQuota = { readonly name: string; readonly code: string | undefined; readonly types: readonly LaunchableType[] };

/** Returns the quotas that a pool's types count towards. */
function quotasOf({ markets, types }: PoolTypes): readonly PoolQuota[] {
  const counted = markets.flatMap((market) =>
    types
      .filter((type) => type.markets.includes(market))
      .map((type) => ({ name: quotaOf(type.name, market), code: quotaCodeOf(type.name, market), type })),
  );
  return [...Map.groupBy(counted, ({ name }) => name)].map(([name, of]) => ({
    name,
    code: of[0]?.code,
    types: of.map(({ type }) => type),
  }));
}

/** Returns the codes of all quotas that pools' types count towards, each once. */
export const quotaCodesOf = (pools: readonly PoolTypes[]): readonly string[] => [
  ...new Set(pools.flatMap(quotasOf).flatMap(({ code }) => code ?? [])),
];

type Quotas = { readonly vcpus: ReadonlyMap<string, ReadFact<number>>; readonly region: string };

/**
 * Checks each pool's quotas of vCPUs. A quota of less than one instance refuses every launch that it counts. A pool whose quotas together
 * allow fewer GPUs than its limit never reaches its limit. Instances outside of the pool use the same quotas and are not counted.
 */
export const vcpuQuotaFindings = (pools: readonly PoolTypes[], quotas: Quotas): readonly Finding[] =>
  pools.flatMap((pool) => poolFindings(pool, quotas));

function poolFindings(pool: PoolTypes, quotas: Quotas): readonly Finding[] {
  const judged = quotasOf(pool).map((quota) => ({ quota, vcpus: vcpusOf(quota, quotas) }));
  const each = judged.flatMap(({ quota, vcpus }) => quotaFindings(pool, quota, { vcpus, region: quotas.region }));
  if (each.some(({ severity }) => severity !== "warning")) return each;
  const values = judged.flatMap(({ quota, vcpus }) => ("value" in vcpus ? [{ quota, vcpus: vcpus.value }] : []));
  return [...each, ...limitFindings(pool, values, quotas.region)];
}

function vcpusOf({ code, name }: PoolQuota, { vcpus }: Quotas): ReadFact<number> {
  if (code === undefined) return { unknown: `AWS's list of quotas has no code for "${name}"` };
  return vcpus.get(code) ?? { unknown: `Service Quotas does not know "${name}"` };
}

function quotaFindings(
  pool: PoolTypes,
  quota: PoolQuota,
  { vcpus, region }: { vcpus: ReadFact<number>; region: string },
): readonly Finding[] {
  const where = `pool ${pool.pool}: the quota "${quota.name}"`;
  if ("unknown" in vcpus) return [couldNotCheck("vcpu-quotas", `${where}: ${vcpus.unknown}`)];
  const least = Math.min(...quota.types.map((type) => type.vcpus));
  if (vcpus.value >= least) return [];
  const smallest = quota.types.find((type) => type.vcpus === least)?.name;
  const mend = increase({ code: quota.code, vcpus: Math.max(least, vcpusForLimit(pool, quota)), region });
  if (vcpus.value <= 0) return [anError("vcpu-quotas.none", `${where} is 0 vCPUs, so EC2 refuses every such launch`, mend)];
  const says = `${where} is ${vcpus.value} vCPUs, and the smallest instance, ${smallest}, has ${least}`;
  return [anError("vcpu-quotas.below-one-instance", says, mend)];
}

function limitFindings(
  pool: PoolTypes,
  quotas: readonly { readonly quota: PoolQuota; readonly vcpus: number }[],
  region: string,
): readonly Finding[] {
  const withGpus = quotas.filter(({ quota }) => Number.isFinite(vcpusPerGpu(quota)));
  const reachable = withGpus.reduce((sum, { quota, vcpus }) => sum + Math.floor(vcpus / vcpusPerGpu(quota)), 0);
  const [first] = withGpus;
  if (reachable >= pool.gpuLimit || first === undefined) return [];
  return [
    aWarning(
      "vcpu-quotas.below-limit",
      `pool ${pool.pool}: its quotas allow at most ${reachable} GPUs at a time, and its limit is ${pool.gpuLimit}`,
      `${increase({ code: first.quota.code, vcpus: vcpusForLimit(pool, first.quota), region })}, or lower the pool's limit`,
    ),
  ];
}

/** Infinite if no type has a GPU, because no number of vCPUs buys one then. */
const vcpusPerGpu = ({ types }: PoolQuota): number => Math.min(...types.map(({ vcpus, gpus }) => vcpus / gpus));

/** Returns the vCPUs that the pool's whole limit needs, with the types that have the fewest vCPUs per GPU. */
function vcpusForLimit({ gpuLimit }: PoolTypes, quota: PoolQuota): number {
  const perGpu = vcpusPerGpu(quota);
  return Number.isFinite(perGpu) ? Math.ceil(gpuLimit * perGpu) : 0;
}

const increase = ({ code = "CODE", vcpus, region }: { code: string | undefined; vcpus: number; region: string }): string =>
  increaseCommand({ service: "ec2", code }, { value: vcpus, region });
