import { join } from "node:path";
import { cloudFolder } from "../../lib/cli/invocation/folders.ts";
import { emulatorPython } from "../../lib/local/emulators/python.ts";
import { synthesize } from "../../lib/local/synthesize.ts";

/** What every local cloud starts from is made once: files that start side by side would each make it, all at the same time. */
export default async function setup(): Promise<void> {
  const log = (): void => undefined;
  await Promise.all([
    emulatorPython({ folder: cloudFolder, log }),
    synthesize({ folder: cloudFolder, configuration: join(import.meta.dirname, "..", "..", "cdk", "local.config.ts"), log }),
  ]);
}
