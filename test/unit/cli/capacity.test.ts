import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CapacityOptions, capacity } from "../../../lib/cli/commands/capacity.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleetwright-capacity-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(options: CapacityOptions) {
  const printed = { out: [] as string[], note: [] as string[] };
  const code = await capacity(options, { out: (line) => printed.out.push(line), note: (line) => printed.note.push(line), width: 100 });
  return { code, ...printed };
}

async function file(text: string): Promise<string> {
  const path = join(folder, "types.csv");
  await writeFile(path, text);
  return path;
}

describe("fleet capacity", () => {
  it("fleet capacity prints the plan for the example within 100 columns", async () => {
    const { code, out } = await run({ compute: 1_000_000 });
    expect(code).toBe(0);
    expect(out).toEqual([
      "TYPE    NODES    COMPUTE  STORAGE  BANDWIDTH     EACH           ALL",
      "medium  5,000  1,000,000  160,000    100,000  $22,200  $111,000,000",
      "",
      "RESOURCE      WANTED     BOUGHT  TO SPARE  UNMET  WAITING  ONE UNIT MORE COSTS",
      "compute    1,000,000  1,000,000         0      0        0                 $111",
      "storage            0    160,000   160,000      0        0                   $0",
      "bandwidth          0    100,000   100,000      0        0                   $0",
      "",
      "f          $111,000,000 for the nodes: hardware $108,000,000, software $0, network $3,000,000",
      "g          $0 lost in performance",
      "f + g      $111,000,000, proven optimal",
      "bounds     $111,000,000 with fractions of nodes, $111,000,000 with whole nodes",
      "",
      "Not bought:",
      "  small: it would cost the same, with as many nodes or more",
      "  large: one costs $800 more than what it offers is worth",
      "  xlarge: one costs $3,200 more than what it offers is worth",
    ]);
  });

  it.each([
    [10, []],
    [12, ["  and 2 more"]],
  ])("fleet capacity names at most ten of %i types that are not bought", async (count, more) => {
    const dear = Array.from({ length: count }, (_, n) => `dear${n},1,${n + 2}`);
    const { out } = await run({ compute: 3, types: await file(["name,compute,hardwareUsd", "cheap,1,1", ...dear, ""].join("\n")) });
    const lines = dear.slice(0, 10).map((_, n) => `  dear${n}: one costs $${n + 1} more than what it offers is worth`);
    expect(out.slice(out.indexOf("Not bought:") + 1)).toEqual([...lines, ...more]);
  });

  it("fleet capacity uses a type's own price, or the prices of its units", async () => {
    const types = await file("name,compute,hardwareUsd\nown,2,5\nby-units,1,\n");
    const { out } = await run({ compute: 3, types, unitPrices: { compute: 2 }, json: true });
    expect(JSON.parse(out.join(""))).toMatchObject({
      kind: "planned",
      plan: { total: 6, types: [{ count: 0 }, { count: 3, type: { cost: { hardware: 2 } } }] },
    });
  });

  it("fleet capacity prints what is lost in performance", async () => {
    const { out } = await run({ compute: 1_000_000, perNode: 10, headroom: 20, waiting: { compute: 5 } });
    expect(out.join("\n")).toMatch(/^g +\$1,050,000 lost in performance: nodes \$50,000, waiting \$1,000,000$/m);
  });

  it("fleet capacity names the resources that are short, and exits with 1", async () => {
    const types = await file("name,compute,hardwareUsd,most\nfew,2,5,10\n");
    const { code, out, note } = await run({ compute: 30, storage: 1, types });
    expect({ code, out }).toEqual({ code: 1, out: [] });
    expect(note.join()).toMatch(
      /at most 20 of compute is available, and the demand is 30; at most 0 of storage is available, and the demand is 1/,
    );
    expect(JSON.parse((await run({ compute: 30, types, json: true })).out.join(""))).toEqual({
      kind: "impossible",
      short: [{ name: "compute", most: 20 }],
    });
  });

  it.each<[string, CapacityOptions, RegExp]>([
    ["no demand", {}, /give a demand: --compute/],
    ["headroom without a price", { compute: 1, headroom: 20 }, /--headroom needs a price/],
    ["a price without headroom", { compute: 1, waiting: { compute: 1 } }, /--waiting needs a headroom/],
  ])("fleet capacity refuses %s", async (_what, options, message) => {
    await expect(run(options)).rejects.toMatchObject({ name: "UsageError", message: expect.stringMatching(message) });
  });

  it("fleet capacity refuses a type without a price", async () => {
    const types = await file("name,compute\na,1\n");
    await expect(run({ compute: 1, types })).rejects.toThrow(/gives no price for a; fill in hardwareUsd, or .* --unit-prices compute=100/);
  });
});
