import { readApiCall } from "../lib/runtime/api-call.ts";
import type { UrlAnswer } from "../lib/runtime/function-url.ts";
import { start } from "../lib/runtime/start.ts";
import { apiWiring } from "../lib/runtime/wire/api.ts";

const answer = apiWiring(start("api"));

/** Answers people and programs. For whom a caller speaks follows from the role that signed the call. */
export const handler = (event: unknown): Promise<UrlAnswer> => answer(readApiCall(event));
