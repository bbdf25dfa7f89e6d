import { afterEach, describe, expect, test, vi } from "vitest";
import type { Measure } from "../../../lib/model/objectives/objective.ts";
import { measuring } from "../../../lib/runtime/objective-metrics.ts";
import { writtenMetrics } from "../../fakes/written-metrics.ts";

const attempt = { team: "vision", job: "a", attempt: 1 };
const launch: Measure = { what: "launch", pool: "gpu", launch: "launch-1", seconds: 4.5 };
const start: Measure = { what: "start", pool: "gpu", attempt, seconds: 90 };
const lost: Measure = { what: "lost-work", pool: "gpu", attempt, because: "lost i-1: its instance has ended" };

afterEach(() => void vi.restoreAllMocks());

/** Returns the metrics and the lines of the log that these measures give in a fleet with these objectives. */
function published(objectives: object, measures: readonly Measure[]) {
  const logged: unknown[] = [];
  const logger = { info: (message: string, fields: object = {}) => void logged.push({ message, ...fields }), error: () => undefined };
  const metrics = writtenMetrics(() => {
    const measured = measuring({ fleet: { name: "blue", objectives }, logger });
    for (const measure of measures) measured(measure);
  });
  return { metrics, logged };
}

describe("what is measured for objectives", () => {
  test("everything is logged, and nothing is published without an objective, because a metric costs money", () => {
    const { metrics, logged } = published({}, [launch, start, lost]);
    expect(metrics).toEqual([]);
    expect(logged).toEqual([
      { message: "measured", ...launch },
      { message: "measured", ...start },
      { message: "measured", ...lost },
    ]);
  });

  test.each([
    [{ launchSeconds: 60 }, { LaunchSeconds: 4.5 }, "Seconds"],
    [{ startSeconds: 60 }, { StartSeconds: 90 }, "Seconds"],
    [{ lostWork: 0 }, { LostWork: 1 }, "Count"],
  ])("with the objective %o only its metric is published, with the fleet as the only dimension", (objectives, value, unit) => {
    const [line, ...others] = published(objectives, [launch, start, lost]).metrics;
    expect(others).toEqual([]);
    const [name = ""] = Object.keys(value);
    expect(line).toEqual({
      fleet: "blue",
      ...value,
      _aws: {
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [{ Namespace: "Fleetwright", Dimensions: [["fleet"]], Metrics: [{ Name: name, Unit: unit }] }],
      },
    });
  });
});
