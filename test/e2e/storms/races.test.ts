import { describe } from "vitest";
import { sharedStage } from "../shared-stage.ts";
import { raceTests } from "../suites/races.ts";
import { scaleToZeroTests } from "../suites/scale-to-zero.ts";

const on = sharedStage();

describe("races", () => raceTests(on));
describe("scale to zero", () => scaleToZeroTests(on));
