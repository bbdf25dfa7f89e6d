import { jsonOf } from "../events/json.ts";
import { outboxToTake } from "../events/outbox/outbox.ts";
import { takeOutbox } from "../lib/flows/take-outbox.ts";
import { attemptName } from "../lib/model/job.ts";
import { eachMessage } from "../lib/runtime/sqs.ts";
import { start } from "../lib/runtime/start.ts";
import { outboxWiring } from "../lib/runtime/wire/outbox.ts";
import { retriesOf } from "../lib/runtime/wire/retries.ts";

const { env, fleet, logger, metrics } = start("take-outbox");
const retries = retriesOf("outboxes", { fleet, logger, metrics });
const deps = outboxWiring({ env, fleet });

/**
 * Takes in what nodes left on S3 while their calls got no response. An object that can never be taken in is named once, and stays until the bucket's
 * lifecycle removes it.
 */
const handleBatch = eachMessage(
  async (message) => {
    const { key, outbox } = outboxToTake(jsonOf(message.body)) ?? {};
    if (outbox === undefined) return logger.error("outbox refused", { key: key ?? message.id });
    const { kind, phase, error } = await takeOutbox(deps, outbox);
    const of = { node: outbox.node, attempt: attemptName(outbox) };
    if (kind === "refused") logger.error("outbox refused", { key, ...of, error });
    else logger.info("outbox taken", { ...of, kind, phase });
  },
  (messageId, error) => logger.error("outbox not taken", { messageId, error }),
);

export const handler = async (event: Parameters<typeof handleBatch>[0]) => retries(event, await handleBatch(event));
