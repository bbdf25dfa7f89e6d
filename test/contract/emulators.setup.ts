import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startEmulators } from "../../lib/local/emulators/emulators.ts";

declare module "vitest" {
  interface ProvidedContext {
    ministackUrl: string;
    motoUrl: string;
  }
}

/** One pair of emulators for the whole contract project; each suite names its own tables, queues and buckets. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const emulators = await startEmulators({
    folder: join(import.meta.dirname, "..", "..", ".fleetwright"),
    log: ({ message }) => process.stderr.write(`${message}\n`),
  });
  project.provide("ministackUrl", emulators.ministackUrl);
  project.provide("motoUrl", emulators.motoUrl);
  return () => emulators.stop();
}
