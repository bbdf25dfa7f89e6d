import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { type ShardsMessage, shardsMessage } from "../events/dataset.ts";
import { jsonOf } from "../events/json.ts";
import { noteObjects } from "../lib/flows/note-objects.ts";
import { rebalanceShards } from "../lib/flows/rebalance-shards.ts";
import { loggingErrors } from "../lib/runtime/logger.ts";
import { eachGroup } from "../lib/runtime/sqs.ts";
import { start } from "../lib/runtime/start.ts";
import { retriesOf } from "../lib/runtime/wire/retries.ts";
import { shardsWiring } from "../lib/runtime/wire/shards.ts";

const { env, fleet, logger, metrics } = start("rebalance-shards");
const deps = shardsWiring(env, fleet);
const retries = retriesOf("shards", { fleet, logger, metrics });

/** Returns the group of a message. A dataset's messages form one group, and so do a team's object events, so that each is handled once. */
const groupOf = (message: ShardsMessage): string =>
  message.kind === "rebalance"
    ? `dataset ${message.team}/${message.dataset}`
    : message.kind === "object"
      ? `objects ${message.bucket}/${message.key.split("/")[0]}`
      : "unknown";

const count = (metric: string, n: number): void => void metrics.addMetric(metric, MetricUnit.Count, n);

/** Deals datasets again on request, and notes created and deleted objects. Unknown messages are counted and acknowledged. */
export const handler = loggingErrors(logger, async (event: Parameters<ReturnType<typeof eachGroup>>[0]) => {
  const batch = eachGroup(
    (message) => groupOf(shardsMessage(jsonOf(message.body))),
    async (_group, messages) => {
      const parsed = messages.map((message) => shardsMessage(jsonOf(message.body)));
      const [first] = parsed;
      if (first?.kind === "rebalance") {
        const { team, dataset } = first;
        const relist = parsed.some((each) => each.kind === "rebalance" && each.relist);
        const outcome = await rebalanceShards(deps, { team, dataset, relist });
        logger.info("dataset rebalanced", { team, dataset, relist, ...outcome });
        if (outcome.kind === "unknown") count("ForeignShardMessages", messages.length);
        if (outcome.kind === "changed") count("ShardsMoved", outcome.moved);
      } else if (first?.kind === "object") {
        const keys = parsed.flatMap((each) => (each.kind === "object" ? [each.key] : []));
        const { requested, foreign } = await noteObjects(deps, { bucket: first.bucket, keys });
        logger.info("object changes noted", { bucket: first.bucket, keys: keys.length, asked: requested, foreign });
        count("ForeignShardMessages", foreign);
      } else {
        logger.error("unknown messages dropped", { messages: messages.map(({ id }) => id) });
        count("ForeignShardMessages", messages.length);
      }
    },
  );
  const response = await retries(event, await batch(event, (group, error) => logger.error("rebalancing failed", { group, error })));
  metrics.publishStoredMetrics();
  return response;
});
