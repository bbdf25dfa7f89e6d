import type { Context } from "aws-lambda";
import { changeStack } from "../lib/flows/change-stack.ts";
import { loggingErrors } from "../lib/runtime/logger.ts";
import { handleStackChange } from "../lib/runtime/stack-response.ts";
import { start } from "../lib/runtime/start.ts";
import { endFleetWiring } from "../lib/runtime/wire/end-fleet.ts";

const { fleet, logger } = start("end-fleet");
const deps = endFleetWiring({ name: fleet.name, logger });

/** The part of the function's time that is reserved for the response to CloudFormation. */
const responseReserveMs = 60_000;

/** Handles CloudFormation's requests when the stack is created, changed or deleted. Deletion terminates all instances. */
export const handler = loggingErrors(logger, async (event: unknown, context: Context): Promise<void> => {
  const untilMs = Date.now() + context.getRemainingTimeInMillis() - responseReserveMs;
  const outcome = await handleStackChange(
    event,
    (change) => changeStack(deps, change, { untilMs }),
    (error) => logger.error("stack change failed", { error }),
  );
  logger.info("stack change answered", outcome);
});
