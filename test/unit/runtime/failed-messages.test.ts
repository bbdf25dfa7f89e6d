import { Metrics } from "@aws-lambda-powertools/metrics";
import { afterEach, expect, test, vi } from "vitest";
import { publishFailedMessages } from "../../../lib/runtime/failed-messages.ts";
import { writtenMetrics } from "../../fakes/written-metrics.ts";

afterEach(() => void vi.restoreAllMocks());

test("messages that failed are counted for the alarm about all functions, and for their function", () => {
  const lines = writtenMetrics(() => {
    const metrics = new Metrics({ namespace: "Fleetwright", serviceName: "blue-seal-artifact", defaultDimensions: { fleet: "blue" } });
    publishFailedMessages(2, { fleet: "blue", metrics });
  });
  const [ofAll, ofFunction, ...others] = lines;
  expect(others).toEqual([]);
  expect(ofAll).toMatchObject({ fleet: "blue", FailedMessages: 2, _aws: { CloudWatchMetrics: [{ Dimensions: [["fleet"]] }] } });
  expect(ofAll).not.toHaveProperty("service");
  expect(ofFunction).toMatchObject({ fleet: "blue", service: "blue-seal-artifact", FailedMessages: 2 });
});
