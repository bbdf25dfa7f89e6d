import type { Operation } from "./http/operation.ts";
import { datasetOperations } from "./operations/datasets.ts";
import { decisionOperations } from "./operations/decisions.ts";
import { describeItself } from "./operations/document.ts";
import { jobOperations } from "./operations/jobs.ts";
import { letterOperations } from "./operations/letters.ts";
import { limitOperations } from "./operations/limits.ts";
import { logOperations } from "./operations/logs.ts";
import { manyJobOperations } from "./operations/many-jobs.ts";
import { whoAmI } from "./operations/me.ts";
import { nodeOperations } from "./operations/nodes.ts";
import { overrideOperations } from "./operations/overrides.ts";
import { poolOperations } from "./operations/pools.ts";
import { settingOperations } from "./operations/settings.ts";

/** All operations except the one that returns the OpenAPI document. */
const operations: readonly Operation[] = [
  whoAmI,
  ...jobOperations,
  ...manyJobOperations,
  ...logOperations,
  ...poolOperations,
  ...nodeOperations,
  ...overrideOperations,
  ...settingOperations,
  ...limitOperations,
  ...decisionOperations,
  ...datasetOperations,
  ...letterOperations,
];

export const allOperations: readonly Operation[] = [...operations, describeItself(operations)];
