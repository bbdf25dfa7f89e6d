import { join } from "node:path";
import { cloudFolder } from "../../lib/cli/invocation/folders.ts";
import { emulatorPython } from "../../lib/local/emulators/python.ts";
import { synthesize } from "../../lib/local/synthesize.ts";

/** Builds once what every local cloud needs, because concurrent test files would otherwise all build it at the same time. */
export default async function setup(): Promise<void> {
  const log = (): void => undefined;
  await Promise.all([
    emulatorPython({ folder: cloudFolder, log }),
    synthesize({ folder: cloudFolder, configuration: join(import.meta.dirname, "..", "..", "cdk", "local.config.ts"), log }),
  ]);
}
