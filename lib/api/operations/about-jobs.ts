import type { Operation } from "../http/operation.ts";
import { jobOperations } from "./jobs.ts";
import { logOperations } from "./logs.ts";
import { manyJobOperations } from "./many-jobs.ts";

/** The operations whose path is that of a team's jobs or begins with it. They are all that most calls need, and half of what the API has to load. */
export const operationsOnJobs: readonly Operation[] = [...jobOperations, ...manyJobOperations, ...logOperations];
