import { jsonOf } from "../events/json.ts";
import { PoolRang } from "../events/lane.ts";
import { ring } from "../lib/flows/pool/ring.ts";
import { eachMessage } from "../lib/runtime/sqs.ts";
import { start } from "../lib/runtime/start.ts";
import { retriesOf } from "../lib/runtime/wire/retries.ts";
import { ringWiring } from "../lib/runtime/wire/ring.ts";

const { env, fleet, logger, metrics } = start("ring-later");
const deps = ringWiring(env);
const retries = retriesOf("later", { fleet, logger, metrics });

/** Rings a pool's bell when a delayed wake is due. */
const handleBatch = eachMessage(
  async (message) => {
    const rang = PoolRang.safeParse(jsonOf(message.body));
    if (rang.success) await ring(deps, rang.data.pool, "later");
    else logger.error("malformed ring dropped", { messageId: message.id, error: rang.error });
  },
  (messageId, error) => logger.error("ringing failed", { messageId, error }),
);

export const handler = async (event: Parameters<typeof handleBatch>[0]) => retries(event, await handleBatch(event));
