import { readApiCall } from "../lib/runtime/api-call.ts";
import type { UrlResponse } from "../lib/runtime/function-url.ts";
import { loggingErrors } from "../lib/runtime/logger.ts";
import { start } from "../lib/runtime/start.ts";
import { apiWiring } from "../lib/runtime/wire/api.ts";

const started = start("api");
const respond = apiWiring(started);

/** Serves the HTTP API. The role that signed a call determines the team that the caller may act for. */
export const handler = loggingErrors(started.logger, async (event: unknown): Promise<UrlResponse> => respond(readApiCall(event)));
