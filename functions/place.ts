import { MetricUnit } from "@aws-lambda-powertools/metrics";
import type { Context } from "aws-lambda";
import { jsonOf } from "../events/json.ts";
import { PoolRang } from "../events/lane.ts";
import { PoolName } from "../events/names.ts";
import { place } from "../lib/flows/place.ts";
import { poolToPlace } from "../lib/flows/pool/pool-to-place.ts";
import { gapOf } from "../lib/model/plan.ts";
import { loggingErrors } from "../lib/runtime/logger.ts";
import { eachGroup } from "../lib/runtime/sqs.ts";
import { start } from "../lib/runtime/start.ts";
import { placeWiring } from "../lib/runtime/wire/place.ts";
import { retriesOf } from "../lib/runtime/wire/retries.ts";

const started = start("place");
const { fleet, logger, metrics } = started;
const deps = placeWiring(started);
const retries = retriesOf("lane", { fleet, logger, metrics });

/** Decides for the pool that a message names. A pool that was removed from the configuration is emptied. */
export const handler = loggingErrors(logger, async (event: Parameters<ReturnType<typeof eachGroup>>[0], context: Context) => {
  const batch = eachGroup(
    (message) => PoolRang.safeParse(jsonOf(message.body)).data?.pool ?? "",
    async (name) => {
      if (!PoolName.safeParse(name).success) return logger.error("ring for an invalid pool name dropped", { pool: name });
      const pool = poolToPlace(fleet.pools, name);
      const { decisions, steps, ended, packings } = await place(deps, { pool, msLeft: () => context.getRemainingTimeInMillis() });
      logger.info("placed", { pool: name, decisions, steps, ended });
      metrics.addMetric("Decisions", MetricUnit.Count, decisions);
      metrics.addMetric("Steps", MetricUnit.Count, steps);
      for (const gap of packings.map(gapOf)) if (gap !== undefined) metrics.addMetric("PlacementGap", MetricUnit.Percent, 100 * gap);
    },
  );
  const response = await retries(event, await batch(event, (pool, error) => logger.error("placing failed", { pool, error })));
  metrics.publishStoredMetrics();
  return response;
});
