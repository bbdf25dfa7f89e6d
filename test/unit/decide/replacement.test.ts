import { expect, test } from "vitest";
import { budgetRoom } from "../../../lib/decide/budget/budget-room.ts";
import { isReplacement } from "../../../lib/decide/placement/replacement.ts";
import { replacements } from "../../../lib/decide/scaling/replacements.ts";
import { aCatalogue, aLaunch, aNode, anAssignment, anEntry, anOffer, aSnapshot, monday } from "../../fakes/builders.ts";

test("a launch that replaces a node, or in which a job has had a node before, takes precedence", () => {
  const launch = aLaunch();
  expect(isReplacement({ ...launch, replaces: "i-1" }, [])).toBe(true);
  expect(isReplacement(launch, [anEntry({ attempt: 2 })])).toBe(true);
  expect(isReplacement(launch, [anEntry()])).toBe(false);
  expect(isReplacement(launch, [anEntry({ job: "another", attempt: 2 })])).toBe(false);
});

test("a replacement names the cheapest offers first, and equally cheap ones by name", () => {
  const nowMs = monday + 3_600_000;
  const assignments = [anAssignment({ phase: "running" })];
  const node = aNode({ state: "draining", notice: { kind: "rebalance", atMs: nowMs - 60_000 }, assignments });
  const zones = ["us-east-1d", "us-east-1b", "us-east-1c"];
  const offers = [...zones.map((zone) => anOffer({ zone, usdPerHour: 0.6 })), anOffer({ zone: "us-east-1e", usdPerHour: 0.55 })];
  const snapshot = aSnapshot({ nowMs, reserved: { usdPerHour: 0.5, gpus: 1 }, nodes: [node], catalogue: aCatalogue({ offers }) });
  const { steps } = replacements(snapshot, { planned: [], free: [], budget: budgetRoom(snapshot) });
  const [step] = steps;
  expect(step?.kind === "launch" && step.launch.offers.map(({ zone }) => zone)).toEqual([
    "us-east-1e",
    "us-east-1b",
    "us-east-1c",
    "us-east-1d",
  ]);
});
