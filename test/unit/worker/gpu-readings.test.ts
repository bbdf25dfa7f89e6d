import { describe, expect, test } from "vitest";
import { NodeCall } from "../../../events/node-call.ts";
import { gpuFields, parseGpus, withoutRefused } from "../../../lib/worker/gpu/gpu-readings.ts";
import { throttleReasons } from "../../../lib/worker/gpu/throttle.ts";
import { aReport } from "./http-fakes.ts";

const parse = (text: string) => parseGpus(text, gpuFields);

describe("the output of nvidia-smi", () => {
  test("the output of nvidia-smi for an idle T4 is read", () => {
    expect(parse("0, Tesla T4, 0, 2, 15360, 9.47, 27, 0, 0x0000000000000001\n")).toEqual([
      {
        index: 0,
        model: "Tesla T4",
        utilizationPercent: 0,
        memoryUsedMiB: 2,
        memoryTotalMiB: 15360,
        powerWatts: 9.47,
        temperatureC: 27,
        eccUncorrected: 0,
        throttled: [],
      },
    ]);
  });

  test("the output of nvidia-smi for busy A10Gs, one of them at its power limit, is read", () => {
    const text =
      "0, NVIDIA A10G, 94, 19865, 23028, 195.50, 71, 0, 0x0000000000000000\n1, NVIDIA A10G, 100, 20311, 23028, 299.61, 78, 0, 0x0000000000000004\n";
    expect(
      parse(text).map(({ index, utilizationPercent, powerWatts, throttled }) => [index, utilizationPercent, powerWatts, throttled]),
    ).toEqual([
      [0, 94, 195.5, []],
      [1, 100, 299.61, ["sw_power_cap"]],
    ]);
  });

  test("the output of nvidia-smi for an H100 with MIG has no utilization", () => {
    const [gpu] = parse("0, NVIDIA H100 80GB HBM3, [N/A], 36537, 81559, 87.12, 33, 0, 0x0000000000000000");
    expect(gpu).toEqual({
      index: 0,
      model: "NVIDIA H100 80GB HBM3",
      memoryUsedMiB: 36537,
      memoryTotalMiB: 81559,
      powerWatts: 87.12,
      temperatureC: 33,
      eccUncorrected: 0,
      throttled: [],
    });
  });

  test("the output of nvidia-smi for a card without values is read in all its forms", () => {
    const text =
      "0, NVIDIA GeForce GTX 960M, [Not Supported], 180, 4046, [N/A], 44, N/A, [Unknown Error]\n1, [N/A], , [GPU requires reset], ERR!, [Unknown Error], -, [N/A], Active";
    expect(parse(text)).toEqual([
      { index: 0, model: "NVIDIA GeForce GTX 960M", memoryUsedMiB: 180, memoryTotalMiB: 4046, temperatureC: 44 },
      { index: 1 },
    ]);
  });
});

test("lines of any other form and additional columns are ignored", () => {
  const text = [
    "WARNING: infoROM is corrupted at gpu 0000:00:1E.0",
    "Unable to determine the device handle for GPU 0000:00:1F.0: Unknown Error",
    "0, Tesla T4, 3",
    "1, Tesla T4, 3, 100, 15360, 27.1, 40, 0, 0x0000000000000000, 1590, surprise\r",
    "1, Tesla T4, 99, 100, 15360, 27.1, 40, 0, 0x0000000000000000",
    "GPU-1, Tesla T4, 99, 100, 15360, 27.1, 40, 0, 0x0000000000000000",
    "No devices were found",
    "",
  ];
  expect(parse(text.join("\n")).map(({ index, utilizationPercent }) => [index, utilizationPercent])).toEqual([[1, 3]]);
});

test("GPU readings are parsed without their units if the driver prints them", () => {
  expect(parse("0, Tesla T4, 35 %, 100 MiB, 15360 MiB, 27.10 W, 40, 0, 0x0")).toMatchObject([
    { utilizationPercent: 35, memoryUsedMiB: 100, memoryTotalMiB: 15360, powerWatts: 27.1 },
  ]);
});

test("the server accepts every reading", () => {
  const text = [
    `0, ${"long ".repeat(100)}, 400, -5, 1e99, -1.5, 9999999999999999, -1, 0xFFFFFFFFFFFFFFFF`,
    ...Array.from({ length: 99 }, (_, n) => `${n + 1}, Tesla T4, 50, 1, 2, 3, 4, 5, 0x0000000000000008`),
  ].join("\n");
  const gpus = parse(text);
  expect(gpus.length).toBe(64);
  expect(Object.keys(gpus[0] ?? {})).toEqual(["index", "model", "throttled"]);
  expect(NodeCall.safeParse(aReport({ gpus: [...gpus] })).error).toBeUndefined();
});

describe("a driver that refuses a column", () => {
  const refuse = (field: string) => `Field "${field}" is not a valid field to query.\n\n`;

  test("a column that the driver refuses is requested with its older name, and then no longer", () => {
    const older = withoutRefused(gpuFields, refuse("clocks_event_reasons.active"));
    expect(older?.at(-1)).toBe("clocks_throttle_reasons.active");
    expect(withoutRefused(older ?? [], refuse("clocks_throttle_reasons.active"))?.at(-1)).toBe("ecc.errors.uncorrected.volatile.total");
    expect(parseGpus("0, T4, 1, 2, 3, 4, 5, 6, 0x0000000000000028", older ?? [])).toMatchObject([
      { throttled: ["hw_slowdown", "sw_thermal_slowdown"] },
    ]);
  });

  test("a driver that refuses every optional column is still read", () => {
    const fewer = withoutRefused(gpuFields, refuse("power.draw")) ?? [];
    expect(parseGpus("0, T4, 1, 2, 3, 5, 6, 0x0", fewer)).toEqual([
      {
        index: 0,
        model: "T4",
        utilizationPercent: 1,
        memoryUsedMiB: 2,
        memoryTotalMiB: 3,
        temperatureC: 5,
        eccUncorrected: 6,
        throttled: [],
      },
    ]);
  });

  test("no other columns are requested if the driver refuses the index or something else", () => {
    for (const output of [refuse("index"), refuse("surprise"), "NVIDIA-SMI has failed", ""])
      expect(withoutRefused(gpuFields, output)).toBeUndefined();
  });
});

test("throttle reasons follow NVML's bits, and idle or chosen clocks are not among them", () => {
  expect(throttleReasons("0x0000000000000003")).toEqual([]);
  expect(throttleReasons("0x00000000000000C8")).toEqual(["hw_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown"]);
  expect(throttleReasons("0x0000000000001004")).toEqual(["sw_power_cap", "unknown 0x1000"]);
  expect(["", "[N/A]", "Not Active", "4", "0x"].map(throttleReasons)).toEqual(Array.from({ length: 5 }, () => undefined));
});
