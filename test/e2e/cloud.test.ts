import { afterAll, beforeAll, describe } from "vitest";
import { openStage, type Stage } from "./stage.ts";
import { apiTests } from "./suites/api.ts";
import { badInputTests } from "./suites/bad-input.ts";
import { budgetTests } from "./suites/budget.ts";
import { datasetTests } from "./suites/datasets.ts";
import { eventTests } from "./suites/events.ts";
import { scaleToZeroTests } from "./suites/scale-to-zero.ts";

/**
 * One local cloud for all tests that leave it intact, because starting one takes longer than most of these tests.
 * Tests that depend on the others run last: scaling to zero looks at all launches, and nothing starts after the budget is used up.
 */
let stage: Stage;
const on = (): Stage => stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

describe("api", () => apiTests(on));
describe("bad input", () => badInputTests(on));
describe("datasets", () => datasetTests(on));
describe("events", () => eventTests(on));
describe("scale to zero", () => scaleToZeroTests(on));
describe("budget", () => budgetTests(on));
