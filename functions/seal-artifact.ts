import { segmentToSeal } from "../events/artifacts/log-segment.ts";
import { attemptToSeal } from "../events/artifacts/upload.ts";
import { jsonOf } from "../events/json.ts";
import { sealAttempt } from "../lib/flows/seal-attempt.ts";
import { sealLog, sweepLog } from "../lib/flows/seal-log.ts";
import { logTo } from "../lib/runtime/logger.ts";
import { eachMessage } from "../lib/runtime/sqs.ts";
import { start } from "../lib/runtime/start.ts";
import { retriesOf } from "../lib/runtime/wire/retries.ts";
import { sealWiring } from "../lib/runtime/wire/seal.ts";
import { sealLogWiring } from "../lib/runtime/wire/seal-log.ts";

const { env, fleet, logger, metrics } = start("seal-artifact");
const deps = sealWiring(env, logTo(logger));
const retries = retriesOf("seal", { fleet, logger, metrics });
const logDeps = sealLogWiring(env);

/** Seals attempts' uploads and ends their jobs. Parts of logs are sealed one by one as they arrive. */
const handleBatch = eachMessage(
  async (message) => {
    const body = jsonOf(message.body);
    const segment = segmentToSeal(body);
    if (segment) return logger.info("log part sealed", { ...segment, ...(await sealLog(logDeps, segment)) });
    const attempt = attemptToSeal(body);
    if (!attempt) return logger.info("nothing to seal", { messageId: message.id });
    const { kind, files, error } = await sealAttempt(deps, attempt);
    if (error !== undefined) logger.error("upload could not be read", { ...attempt, error });
    logger.info("attempt sealed", { ...attempt, kind, files });
    const swept = await sweepLog(logDeps, attempt);
    if (swept > 0) logger.info("log parts with missing events sealed", { ...attempt, swept });
  },
  (messageId, error) => logger.error("sealing failed", { messageId, error }),
);

export const handler = async (event: Parameters<typeof handleBatch>[0]) => retries(event, await handleBatch(event));
