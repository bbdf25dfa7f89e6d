import { DescribeInstanceTypesCommand, type EC2Client, type InstanceTypeInfo } from "@aws-sdk/client-ec2";
import { type InstanceType, type Market, usable } from "../../model/offer.ts";
import { allPages } from "../pages.ts";
import { batches, maxFilterValues } from "./batches.ts";
import type { MarketLog } from "./market-log.ts";

/** A type that jobs can use, and the markets in which EC2 sells it. */
export type SoldType = { readonly type: InstanceType; readonly markets: readonly Market[] };

export type Architecture = "x86_64" | "arm64";

/**
 * Returns the types of these families ("g5") or with these names ("g5.xlarge") that nodes can have: of this architecture, not
 * bare metal, and with whole NVIDIA GPUs of one model or without GPUs. Previous generations are included, because EC2 already
 * counts g5 among them and an admin who names a family wants it.
 */
export async function instanceTypes(
  ec2: Pick<EC2Client, "send">,
  of: { readonly families: readonly string[]; readonly architecture: Architecture; readonly log: MarketLog },
): Promise<SoldType[]> {
  const names = of.families.map((family) => (family.includes(".") ? family : `${family}.*`));
  // Keyed by name, because a family and one of its types may be named in different calls.
  const found = new Map<string | undefined, InstanceTypeInfo>();
  for (const Values of batches(names, maxFilterValues)) {
    const items = await allPages(async (NextToken) => {
      const page = await ec2.send(
        new DescribeInstanceTypesCommand({ Filters: [{ Name: "instance-type", Values }], MaxResults: 100, NextToken }),
      );
      return { items: page.InstanceTypes, next: page.NextToken };
    });
    for (const item of items) found.set(item.InstanceType, item);
  }
  return [...found.values()].flatMap((info) => {
    if (!suits(info, of.architecture)) return [];
    const type = typeOf(info);
    if (type) return [{ type, markets: marketsOf(info) }];
    of.log({
      level: "info",
      message: "instance type ignored",
      because: "EC2 does not describe its vCPUs, memory and whole GPUs",
      instanceType: info.InstanceType ?? "unknown",
      received: { GpuInfo: info.GpuInfo, VCpuInfo: info.VCpuInfo?.DefaultVCpus, MemoryInfo: info.MemoryInfo },
    });
    return [];
  });
}

/** Returns whether nodes can have a type. GPUs of other makers and slices of a GPU (g6f) are excluded on purpose. */
const suits = (info: InstanceTypeInfo, architecture: Architecture): boolean =>
  info.BareMetal !== true &&
  (info.ProcessorInfo?.SupportedArchitectures ?? []).includes(architecture) &&
  (info.GpuInfo?.Gpus ?? []).every((gpu) => gpu.Manufacturer?.toUpperCase() === "NVIDIA" && (gpu.GpuPartitionSize ?? 1) >= 1);

/** Returns a type, or undefined if a needed fact is unknown or jobs cannot ask for its GPUs. */
function typeOf(info: InstanceTypeInfo): InstanceType | undefined {
  const vcpus = info.VCpuInfo?.DefaultVCpus;
  const memoryMiB = info.MemoryInfo?.SizeInMiB;
  if (!info.InstanceType || !vcpus || !memoryMiB) return undefined;
  const resources = (gpus: number) => usable({ vcpus, memoryGiB: memoryMiB / 1024, gpus });
  if (info.GpuInfo === undefined) return { name: info.InstanceType, resources: resources(0) };

  const [gpu, ...others] = info.GpuInfo.Gpus ?? [];
  const gpuMiB = gpu?.MemoryInfo?.SizeInMiB;
  if (others.length > 0 || !gpu?.Name || !gpu.Count || !gpuMiB) return undefined;
  return { name: info.InstanceType, resources: resources(gpu.Count), gpu: { model: gpu.Name, memoryGiB: gpuMiB / 1024 } };
}

/** Returns the markets of a type, or all markets if EC2 does not say how it sells the type. */
function marketsOf(info: InstanceTypeInfo): readonly Market[] {
  const all: readonly Market[] = ["spot", "on-demand"];
  const classes: readonly string[] | undefined = info.SupportedUsageClasses;
  return classes ? all.filter((market) => classes.includes(market)) : all;
}
