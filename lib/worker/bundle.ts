/**
 * How the worker becomes one file. The banner gives CommonJS parts of dependencies their `require`, which ESM has not.
 */
export const workerBundle = {
  entryPoint: "lib/worker/main.ts",
  format: "esm",
  platform: "node",
  target: "node24",
  banner: 'import { createRequire as requireFor } from "node:module"; const require = requireFor(import.meta.url);',
} as const;
