import { MetricUnit } from "@aws-lambda-powertools/metrics";
import type { Context } from "aws-lambda";
import { jsonOf } from "../events/json.ts";
import { PoolRang } from "../events/lane.ts";
import { place } from "../lib/flows/place.ts";
import { eachGroup } from "../lib/runtime/sqs.ts";
import { start } from "../lib/runtime/start.ts";
import { placeWiring } from "../lib/runtime/wire/place.ts";

const { env, fleet, logger, metrics } = start("place");
const deps = placeWiring({ env, fleet, logger });

/** Decides for every pool that the batch names; a pool that this deployment does not have (any more) is done with. */
export const handler = async (event: Parameters<ReturnType<typeof eachGroup>>[0], context: Context) => {
  const batch = eachGroup(
    (message) => PoolRang.safeParse(jsonOf(message.body)).data?.pool ?? "",
    async (name) => {
      const pool = fleet.pools.find((each) => each.name === name);
      if (!pool) return logger.error("a ring for a pool that is not configured", { pool: name });
      const { decisions, steps, ended } = await place(deps, { pool, msLeft: () => context.getRemainingTimeInMillis() });
      logger.info("placed", { pool: name, decisions, steps, ended });
      metrics.addMetric("Decisions", MetricUnit.Count, decisions);
      metrics.addMetric("Steps", MetricUnit.Count, steps);
    },
  );
  const response = await batch(event, (pool, error) => logger.error("placing failed", { pool, error }));
  metrics.publishStoredMetrics();
  return response;
};
