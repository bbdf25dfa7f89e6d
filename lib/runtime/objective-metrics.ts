import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { type Measure, objectiveMetrics } from "../model/objectives/objective.ts";
import type { FleetFile } from "./fleet-file.ts";
import { publishFleetMetric } from "./fleet-metrics.ts";
import type { FunctionLogger } from "./logger.ts";
import { allowedBy } from "./objectives.ts";

/**
 * Returns a function that logs each measured value, for queries of people and of the dashboard, and publishes it if its objective is set. A metric
 * costs $0.30 per month, in proportion to the hours in which it is published, so a fleet without objectives, and one without work, pay nothing.
 */
export const measuring =
  ({ fleet, logger }: { readonly fleet: Pick<FleetFile, "name" | "objectives">; readonly logger: FunctionLogger }) =>
  (measure: Measure): void => {
    logger.info("measured", { ...measure });
    if (allowedBy(fleet.objectives)[measure.what] === undefined) return;
    const [unit, value] =
      measure.what === "lost-work" ? ([MetricUnit.Count, 1] as const) : ([MetricUnit.Seconds, measure.seconds] as const);
    publishFleetMetric(fleet.name, { name: objectiveMetrics[measure.what], unit, value });
  };
