import { describe } from "vitest";
import { sharedStage } from "./shared-stage.ts";
import { apiTests } from "./suites/api.ts";
import { badInputTests } from "./suites/bad-input.ts";
import { budgetTests } from "./suites/budget.ts";
import { datasetTests } from "./suites/datasets.ts";
import { doctorTests } from "./suites/doctor.ts";
import { eventTests } from "./suites/events.ts";
import { islandTests } from "./suites/islands.ts";
import { orderTests } from "./suites/orders.ts";
import { scaleToZeroTests } from "./suites/scale-to-zero.ts";

/**
 * One local cloud for all tests that leave it intact, because starting one takes longer than most of these tests.
 * Tests that depend on the others run last: scaling to zero looks at all launches, and nothing starts after the budget is used up.
 */
const on = sharedStage();

describe("doctor", () => doctorTests(on));
describe("api", () => apiTests(on));
describe("bad input", () => badInputTests(on));
describe("datasets", () => datasetTests(on));
describe("events", () => eventTests(on));
describe("orders of admins", () => orderTests(on));
// It kills handlers, whose messages return after up to a minute, so that other tests would take longer after it.
describe("islands", () => islandTests(on));
describe("scale to zero", () => scaleToZeroTests(on));
describe("budget", () => budgetTests(on));
