import { afterAll, beforeAll, describe } from "vitest";
import { openStage, type Stage } from "./stage.ts";
import { apiTests } from "./suites/api.ts";
import { badInputTests } from "./suites/bad-input.ts";
import { budgetTests } from "./suites/budget.ts";
import { datasetTests } from "./suites/datasets.ts";
import { eventTests } from "./suites/events.ts";
import { raceTests } from "./suites/races.ts";

/**
 * One local cloud for all that leaves it whole: to start one costs more than most of these tests.
 * Those that mind what others do come last: races count launches, and nothing starts once the budget is used up.
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
describe("races", () => raceTests(on));
describe("budget", () => budgetTests(on));
