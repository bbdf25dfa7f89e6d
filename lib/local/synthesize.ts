import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { inWords } from "../model/errors/in-words.ts";
import { FleetError } from "../model/fleet-error.ts";
import type { LocalLog } from "./run/log-line.ts";
import { hashOfSources } from "./template/source-hash.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "..", "..");
const synthTimeoutMs = 5 * 60_000;

/**
 * Returns the folder of the cloud assembly for this configuration. It is synthesized unless an assembly of the same sources exists.
 * If two starts create it at once, the later one is dropped. `app`: the program that synthesizes it; the stack's own if undefined.
 */
export async function synthesize(options: { folder: string; configuration: string; log: LocalLog; app?: string }): Promise<string> {
  const configuration = resolve(options.configuration);
  const assembly = join(options.folder, `synth-${await hashOfSources(root, configuration)}`);
  if (await exists(join(assembly, "manifest.json"))) return assembly;
  options.log({ message: "Synthesizing the stack …" });
  const making = `${assembly}.${randomUUID()}`;
  try {
    const env = {
      ...process.env,
      FLEETWRIGHT_CONFIG: configuration,
      FLEETWRIGHT_OWN_NODE: "true",
      CDK_OUTDIR: making,
      CDK_DISABLE_CLI_TELEMETRY: "true",
    };
    await run(process.execPath, [options.app ?? join(root, "cdk", "app.ts")], {
      cwd: root,
      env,
      timeout: synthTimeoutMs,
      maxBuffer: 64 * 1024 * 1024,
    });
    await rename(making, assembly).catch(async (error: unknown) => {
      if (!(await exists(join(assembly, "manifest.json")))) throw error;
    });
  } catch (error) {
    const stderr = error instanceof Error && "stderr" in error ? String(error.stderr).trim().slice(-4000) : "";
    throw new FleetError("synth", `The stack could not be synthesized.\n${stderr || inWords(error)}`, { cause: error });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return assembly;
}

/** Deletes unused assemblies that are older than an hour. A newer one may have just been created by another start. */
export async function pruneAssemblies(folder: string, inUse: ReadonlySet<string>): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith("synth-"));
  for (const path of names.map((name) => join(folder, name))) {
    if (inUse.has(path)) continue;
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > 3_600_000) await rm(path, { recursive: true, force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
