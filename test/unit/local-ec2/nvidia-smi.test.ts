import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { installNvidiaSmi } from "../../../lib/local/ec2/instances/nvidia-smi.ts";
import type { Moto } from "../../../lib/local/ec2/moto/moto.ts";
import { readXml } from "../../../lib/local/ec2/moto/xml-document.ts";
import { gpuFields, parseGpus } from "../../../lib/worker/gpu/gpu-readings.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nvidia smi's-"));
});
afterEach(() => rm(folder, { recursive: true }));

const knows = (gpuInfo: string): Moto => ({
  call: async () => readXml(`<R><instanceTypeSet><item><instanceType>g4dn.12xlarge</instanceType>${gpuInfo}</item></instanceTypeSet></R>`),
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

test("nvidia-smi shows the worker one busy GPU per running program", async () => {
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

test.each([
  ["no GPUs", ""],
  ["an empty list of GPUs", "<gpuInfo><gpus></gpus></gpuInfo>"],
  ["zero GPUs", fourT4s.replace("<count>4", "<count>0")],
])("a type with %s has no nvidia-smi", async (_what, info) => {
  expect(await installNvidiaSmi(knows(info), { region: "us-east-1", instanceType: "m5.large", folder })).toBeUndefined();
  expect(await readdir(folder)).toEqual([]);
});

describe("nvidia-smi on a command line", () => {
  const run = async (...args: string[]) => {
    const bin = await installNvidiaSmi(knows(fourT4s), { region: "us-east-1", instanceType: "g4dn.12xlarge", folder });
    const done = await promisify(execFile)(join(bin ?? "", "nvidia-smi"), args).catch((error: { stdout: string; code: number }) => error);
    return { lines: done.stdout.trimEnd().split("\n"), code: "code" in done ? done.code : 0 };
  };

  test("nvidia-smi without arguments prints the usual table with one row per GPU", async () => {
    await mkdir(join(folder, "attempts", "vision", "a", "1"), { recursive: true });
    await writeFile(join(folder, "attempts", "vision", "a", "1", "program.json"), "{}");
    const { lines, code } = await run();
    expect(code).toBe(0);
    expect(lines[2]).toMatch(/^\| NVIDIA-SMI [\d.]+ +Driver Version: [\d.]+ +CUDA Version: [\d.]+ +\|$/);
    expect(lines.filter((line) => /^\| +\d {2}NVIDIA T4 /.test(line))).toHaveLength(4);
    const [, ...usage] = lines.filter((line) => /MiB \/|Memory-Usage/.test(line));
    expect(usage[0]).toMatch(/^\| N\/A +64C +P0 +68W \/ +70W \| +13107MiB \/ +16384MiB \| +97% +Default \|$/);
    expect(usage[1]).toMatch(/^\| N\/A +31C +P8 +9W \/ +70W \| +0MiB \/ +16384MiB \| +0% +Default \|$/);
    expect(lines.at(-2)).toContain("No running processes found");
    for (const line of lines.slice(1).filter((each) => each !== "")) expect(line).toHaveLength(91);
  });

  test("nvidia-smi -L lists each GPU, and -i selects one", async () => {
    const { lines } = await run("-L");
    expect(lines).toHaveLength(4);
    expect(lines[3]).toMatch(/^GPU 3: NVIDIA T4 \(UUID: GPU-[0-9a-f-]{36}\)$/);
    expect((await run("--query-gpu=index", "--format=csv,noheader", "-i", "2")).lines).toEqual(["2"]);
    expect(await run("-i", "7")).toEqual({ lines: ["No devices were found"], code: 6 });
  });

  test("an nvidia-smi query prints its header and units unless its format omits them", async () => {
    const { lines } = await run("--query-gpu=index,name,utilization.gpu,memory.total,temperature.gpu,ecc.mode.current", "--format=csv");
    expect(lines.slice(0, 2)).toEqual([
      "index, name, utilization.gpu [%], memory.total [MiB], temperature.gpu, ecc.mode.current",
      "0, T4, 0 %, 16384 MiB, 31, [N/A]",
    ]);
    const bare = await run("--query-gpu=power.draw,power.limit,memory.free", "--format=csv,noheader,nounits");
    expect(bare.lines[0]).toBe("9.20, 70, 16384");
    expect(await run("--query-compute-apps=pid,used_memory", "--format=csv,noheader")).toEqual({ lines: [""], code: 0 });
  });

  test("nvidia-smi refuses unknown options with the real program's message and exit code", async () => {
    expect(await run("--query-gpu=index,warp.speed", "--format=csv")).toEqual({
      lines: ['Field "warp.speed" is not a valid field to query.'],
      code: 2,
    });
    for (const args of [["--frobnicate"], ["dmon"], ["--query-gpu=index"], ["-i", "x"]])
      expect(await run(...args)).toEqual({
        lines: ["Invalid combination of input arguments. Please run 'nvidia-smi -h' for help."],
        code: 2,
      });
  });
});

test("an instance without GPUs has no nvidia-smi", async () => {
  expect(await installNvidiaSmi(knows(""), { region: "us-east-1", instanceType: "m5.large", folder })).toBeUndefined();
});
