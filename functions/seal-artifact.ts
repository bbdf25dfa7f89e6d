import { jsonOf } from "../events/json.ts";
import { attemptToSeal } from "../events/upload.ts";
import { sealAttempt } from "../lib/flows/seal-attempt.ts";
import { eachMessage } from "../lib/runtime/sqs.ts";
import { start } from "../lib/runtime/start.ts";
import { sealWiring } from "../lib/runtime/wire/seal.ts";

const { env, logger } = start("seal-artifact");
const deps = sealWiring(env);

/** Seals what attempts uploaded, and ends their jobs. */
export const handler = eachMessage(
  async (message) => {
    const attempt = attemptToSeal(jsonOf(message.body));
    if (!attempt) return logger.info("not a manifest; nothing to seal", { messageId: message.id });
    const { kind, files } = await sealAttempt(deps, attempt);
    logger.info("attempt sealed", { ...attempt, kind, files });
  },
  (messageId, error) => logger.error("sealing failed", { messageId, error }),
);
