import type { Context } from "aws-lambda";
import { changeStack } from "../lib/flows/change-stack.ts";
import { loggingErrors } from "../lib/runtime/logger.ts";
import { answerStack } from "../lib/runtime/stack-answer.ts";
import { start } from "../lib/runtime/start.ts";
import { endFleetWiring } from "../lib/runtime/wire/end-fleet.ts";

const { fleet, logger } = start("end-fleet");
const deps = endFleetWiring({ name: fleet.name, logger });

/** What of its time is left for the answer. */
const forTheAnswerMs = 60_000;

/** Called by CloudFormation when the stack is made, changed or deleted: in the end all instances end. */
export const handler = loggingErrors(logger, async (event: unknown, context: Context): Promise<void> => {
  const untilMs = Date.now() + context.getRemainingTimeInMillis() - forTheAnswerMs;
  const outcome = await answerStack(
    event,
    (change) => changeStack(deps, change, { untilMs }),
    (error) => logger.error("the change of the stack failed", { error }),
  );
  logger.info("the stack was answered", outcome);
});
