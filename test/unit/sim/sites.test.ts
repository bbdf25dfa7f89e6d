import { expect, test } from "vitest";
import { reachedFrom, readSites, sitesIn } from "../../../lib/sim/faults/sites.ts";

test("the sites of a source are its calls to ports, each named after the function that makes it", () => {
  const source = [
    "/** Not placements.bind( here. */",
    "export async function one({ bell }: Deps): Promise<void> {",
    "  // nor bell.ring( here",
    "  await bell.ring(pool, cause);",
    "  await deps.placements.bind(fence, deps.placements.hold(x));",
    "  nodes.map((node) => node.id);",
    "  carillon.ring(pool);",
    "}",
    "const other = async (deps: Deps) => deps.fleet.look([]);",
  ].join("\n");
  expect(sitesIn("x.ts", source).map(({ name }) => name)).toEqual([
    "x.ts:4 one bell.ring",
    "x.ts:5 one placements.bind",
    "x.ts:5 one placements.hold",
    "x.ts:9 other fleet.look",
  ]);
});

test("the flow place reaches the calls that launch and terminate", () => {
  const launching = reachedFrom("place.ts");
  expect([...launching]).toEqual(expect.arrayContaining(["place.ts", "place/carry-out.ts", "place/launch-node.ts"]));
  expect(launching).not.toContain("submit-job.ts");
  const points = readSites()
    .filter(({ file }) => launching.has(file))
    .map(({ point }) => point);
  expect(points).toEqual(
    expect.arrayContaining([
      "decisions.begin",
      "decisions.isCurrent",
      "placements.intend",
      "placements.settle",
      "placements.fenceIdle",
      "placements.terminating",
      "placements.removeNode",
      "placements.takeBack",
      "fleet.launch",
      "fleet.terminate",
      "fleet.look",
    ]),
  );
});
