/**
 * How the worker becomes one file. The banner gives CommonJS parts of dependencies their `require`, which ESM has not.
 */
export const workerBundle = {
  entryPoint: "lib/worker/main.ts",
  format: "esm",
  platform: "node",
  target: "node24",
  banner: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
} as const;
