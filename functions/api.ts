import { readApiCall } from "../lib/runtime/api-call.ts";
import type { UrlAnswer } from "../lib/runtime/function-url.ts";
import { loggingErrors } from "../lib/runtime/logger.ts";
import { start } from "../lib/runtime/start.ts";
import { apiWiring } from "../lib/runtime/wire/api.ts";

const started = start("api");
const answer = apiWiring(started);

/** Answers people and programs. For whom a caller speaks follows from the role that signed the call. */
export const handler = loggingErrors(started.logger, async (event: unknown): Promise<UrlAnswer> => answer(readApiCall(event)));
