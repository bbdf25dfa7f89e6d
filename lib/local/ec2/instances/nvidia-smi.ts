/**
 * A replacement for `nvidia-smi` on a machine of the local cloud, which has no GPU. It shows the GPUs of the instance type:
 * for each running program of a job one GPU is busy, and the others are idle.
 */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Moto } from "../moto/moto.ts";
import { items, textAt } from "../moto/xml-document.ts";
import { type Gpus, nvidiaSmiScript } from "./nvidia-smi-script.ts";

/** Writes the program into `folder`/bin and returns that path. Returns undefined for a type without GPUs. */
export async function installNvidiaSmi(
  moto: Moto,
  of: { region: string; instanceType: string; folder: string },
): Promise<string | undefined> {
  const gpus = await gpusOf(moto, of);
  if (gpus === undefined) return undefined;
  const bin = join(of.folder, "bin");
  await mkdir(bin, { recursive: true });
  const file = join(bin, "nvidia-smi");
  await writeFile(file, nvidiaSmiScript(gpus, join(of.folder, "attempts")));
  await chmod(file, 0o755);
  return bin;
}

async function gpusOf(moto: Moto, of: { region: string; instanceType: string }): Promise<Gpus | undefined> {
  const response = await moto.call(of.region, { Action: "DescribeInstanceTypes", "InstanceType.1": of.instanceType });
  const info = items(response, "instanceTypeSet")[0]?.children.find((child) => child.name === "gpuInfo");
  const [gpu] = items(info, "gpus");
  const count = Number(textAt(gpu, "count") ?? 0);
  if (!gpu || count === 0) return undefined;
  return { count, model: textAt(gpu, "name") ?? "", memoryMiB: Number(textAt(gpu, "memoryInfo", "sizeInMiB") ?? 0) };
}
