import { describe, expect, it } from "vitest";
import { emfData } from "../../../lib/local/cloudwatch/emf.ts";

const atMs = 1_764_000_000_000;
const line = (directives: readonly object[], values: object): object => ({
  _aws: { Timestamp: atMs, CloudWatchMetrics: directives },
  ...values,
});

describe("a line in the embedded metric format", () => {
  it("an EMF line gives a datum with its unit per metric and set of dimensions", () => {
    const printed = line(
      [
        {
          Namespace: "Fleetwright",
          Dimensions: [["fleet", "pool"], ["fleet"], []],
          Metrics: [{ Name: "GpuUtilization", Unit: "Percent", StorageResolution: 60 }, { Name: "Nodes" }],
        },
      ],
      { fleet: "f", pool: "gpu", GpuUtilization: [10, 30], Nodes: 2, level: "INFO" },
    );
    const data = emfData(printed);
    expect(data).toHaveLength(6);
    expect(data.map(({ metric }) => [metric.name, metric.dimensions])).toEqual([
      ["GpuUtilization", { fleet: "f", pool: "gpu" }],
      ["GpuUtilization", { fleet: "f" }],
      ["GpuUtilization", {}],
      ["Nodes", { fleet: "f", pool: "gpu" }],
      ["Nodes", { fleet: "f" }],
      ["Nodes", {}],
    ]);
    expect(data[0]).toEqual({
      metric: { namespace: "Fleetwright", name: "GpuUtilization", dimensions: { fleet: "f", pool: "gpu" } },
      atMs,
      unit: "Percent",
      values: {
        sum: 40,
        count: 2,
        minimum: 10,
        maximum: 30,
        samples: [
          [10, 1],
          [30, 1],
        ],
      },
    });
    expect(data[3]).toMatchObject({ unit: undefined, values: { sum: 2, count: 1 } });
  });

  it("an EMF line may have several namespaces, and metrics without dimensions", () => {
    const printed = line(
      [
        { Namespace: "A", Metrics: [{ Name: "x" }] },
        { Namespace: "B", Dimensions: [["d"]], Metrics: [{ Name: "x" }] },
      ],
      { d: "1", x: 5 },
    );
    expect(emfData(printed).map(({ metric }) => [metric.namespace, metric.dimensions])).toEqual([
      ["A", {}],
      ["B", { d: "1" }],
    ]);
  });

  it("an EMF metric may have up to 100 values and up to 30 dimensions", () => {
    const of = (values: number, dimensions: number) => {
      const names = Array.from({ length: dimensions }, (_, n) => `d${n}`);
      const directive = { Namespace: "A", Dimensions: [names], Metrics: [{ Name: "x" }] };
      const given = { ...Object.fromEntries(names.map((name) => [name, "1"])), x: Array.from({ length: values }, () => 2) };
      return emfData(line([directive], given)).map((datum) => [datum.values.count, Object.keys(datum.metric.dimensions).length]);
    };
    expect(of(1, 1)).toEqual([[1, 1]]);
    expect(of(100, 30)).toEqual([[100, 30]]);
    expect(of(1, 31)).toEqual([]);
  });

  it("EMF metrics without a number, with too many numbers, or with a dimension that is not a string are left out", () => {
    const directive = { Namespace: "A", Dimensions: [["d"], ["gone"], ["number"]], Metrics: [{ Name: "ok" }] };
    expect(emfData(line([directive], { d: "1", number: 7, ok: 1 })).map(({ metric }) => metric.dimensions)).toEqual([{ d: "1" }]);
    for (const bad of [{}, { ok: "1" }, { ok: null }, { ok: [] }, { ok: Array.from({ length: 101 }, () => 1) }])
      expect(emfData(line([directive], { d: "1", ...bad }))).toEqual([]);
  });

  it("a line that is not in the embedded metric format gives no metrics", () => {
    const sameShape = line([{ Namespace: "A", Metrics: [{ Name: "x" }] }], { x: 1 });
    expect(emfData(sameShape)).toHaveLength(1);
    for (const printed of [undefined, null, "x", 1, {}, { _aws: 1 }, { ...sameShape, _aws: { CloudWatchMetrics: [] } }])
      expect(emfData(printed)).toEqual([]);
  });
});
