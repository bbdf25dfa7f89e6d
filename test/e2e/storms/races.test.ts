import { afterAll, beforeAll, describe } from "vitest";
import { openStage, type Stage } from "../stage.ts";
import { raceTests } from "../suites/races.ts";
import { scaleToZeroTests } from "../suites/scale-to-zero.ts";

let stage: Stage;
const on = (): Stage => stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

describe("races", () => raceTests(on));
describe("scale to zero", () => scaleToZeroTests(on));
