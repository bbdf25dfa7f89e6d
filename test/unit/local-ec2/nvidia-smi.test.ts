import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Moto } from "../../../lib/local/ec2/moto.ts";
import { installNvidiaSmi } from "../../../lib/local/ec2/nvidia-smi.ts";
import { readXml } from "../../../lib/local/ec2/xml-document.ts";
import { gpuFields, parseGpus } from "../../../lib/worker/gpu-readings.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nvidia smi's-"));
});
afterEach(() => rm(folder, { recursive: true }));

const knows = (gpuInfo: string): Moto => ({
  ask: async () => readXml(`<R><instanceTypeSet><item><instanceType>g4dn.12xlarge</instanceType>${gpuInfo}</item></instanceTypeSet></R>`),
  pass: () => Promise.reject(new Error("nothing is passed on")),
});
const fourT4s =
  "<gpuInfo><gpus><item><name>T4</name><count>4</count><memoryInfo><sizeInMiB>16384</sizeInMiB></memoryInfo></item></gpus></gpuInfo>";

async function look(bin: string) {
  const { stdout } = await promisify(execFile)(join(bin, "nvidia-smi"), [
    `--query-gpu=${gpuFields.join(",")}`,
    "--format=csv,noheader,nounits",
  ]);
  return parseGpus(stdout, gpuFields);
}

test("a GPU is at work for each program that runs, as the worker reads it", async () => {
  const bin = await installNvidiaSmi(knows(fourT4s), { region: "us-east-1", instanceType: "g4dn.12xlarge", folder });
  const idle = { model: "T4", utilizationPercent: 0, memoryUsedMiB: 0, memoryTotalMiB: 16384, powerWatts: 9.2, temperatureC: 31 };
  expect(await look(bin ?? "")).toEqual([0, 1, 2, 3].map((index) => ({ index, ...idle })));
  for (const job of ["a", "b"]) {
    const attempt = join(folder, "attempts", "vision", job, "1");
    await mkdir(attempt, { recursive: true });
    await writeFile(join(attempt, "program.json"), "{}");
  }
  expect((await look(bin ?? "")).map((gpu) => gpu.utilizationPercent)).toEqual([97, 97, 0, 0]);
});

test("an instance without GPUs has no such program", async () => {
  expect(await installNvidiaSmi(knows(""), { region: "us-east-1", instanceType: "m5.large", folder })).toBeUndefined();
});
