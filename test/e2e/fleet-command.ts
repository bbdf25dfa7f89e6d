import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { cloudFolder } from "../../lib/cli/invocation/folders.ts";
import { accessFile, policiesFile } from "../../lib/local/access/access-log.ts";
import { emulatorPython } from "../../lib/local/emulators/python.ts";
import { synthesize } from "../../lib/local/synthesize.ts";
import { type ProcessWatch, watchProcesses } from "./process-watch.ts";

const root = join(import.meta.dirname, "..", "..");

/** Creates a state folder, so that a developer's running local cloud is neither found nor disturbed. */
export async function openHome(): Promise<{ readonly path: string; close(): Promise<void> }> {
  const log = (): void => undefined;
  const path = await mkdtemp(join(tmpdir(), "fleetwright-home-"));
  // Parts that take long to create are shared with the default folder, and created there if needed.
  const python = await emulatorPython({ folder: cloudFolder, log });
  const assembly = await synthesize({ folder: cloudFolder, configuration: join(root, "cdk", "local.config.ts"), log });
  for (const made of [join(python, "..", ".."), assembly]) await symlink(made, join(path, basename(made)));
  const close = async (): Promise<void> => {
    await keepAccess(join(path, "runs"));
    await rm(path, { recursive: true, maxRetries: 3 });
  };
  return { path, close };
}

/** Keeps what local clouds judged in these runs, for the report on rights that are not used. */
async function keepAccess(runs: string): Promise<void> {
  for (const run of await readdir(runs).catch(() => []))
    for (const name of [accessFile, policiesFile])
      await cp(join(runs, run, name), join(cloudFolder, "access", run, name)).catch(() => undefined);
}

/** Returns a port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string; readonly tookMs: number };

/** A running `fleet`. */
export type Command = {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  readonly processes: ProcessWatch;
  /** Resolves when its stdout or stderr matches. */
  says(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>;
  /** Sends SIGINT to every process of its group, as Ctrl-C in a terminal does. */
  interrupt(): void;
  kill(): void;
};

export type Setting = { readonly home: string; readonly input?: string; readonly environment?: Readonly<Record<string, string>> };

/** Starts `fleet` and watches its processes. */
export function start(args: readonly string[], at: Setting): Command {
  const { child, pid, output, ended } = launch(args, at);
  const processes = watchProcesses(pid, new RegExp(`${at.home}/runs/\\w+-${pid}-`));
  return {
    pid,
    ended: ended.finally(processes.stop),
    processes,
    says: (pattern, withinMs = 60_000) => match({ child, output, pattern, withinMs }),
    interrupt: () => void process.kill(-pid, "SIGINT"),
    kill: () => void child.kill("SIGKILL"),
  };
}

/** Runs `fleet` to its end. */
export const fleet = (args: readonly string[], at: Setting): Promise<Ended> => launch(args, at).ended;

/** Starts it as a terminal would, with a process group of its own, but without this machine's AWS settings. */
function launch(args: readonly string[], at: Setting) {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [join(root, "lib", "cli", "fleet.ts"), ...args], {
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...quiet(process.env), FLEETWRIGHT_HOME: at.home, FLEETWRIGHT_COMMAND: "fleet", ...at.environment },
  });
  child.stdin.on("error", () => undefined).end(at.input ?? "");
  const { pid } = child;
  if (pid === undefined) throw new Error("fleet could not be started");
  const output = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.err += text;
  });
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (code) => resolve({ code, ...output, tookMs: performance.now() - startedAtMs })),
  );
  return { child, pid, output, ended };
}

async function match(of: {
  child: ChildProcess;
  output: { out: string; err: string };
  pattern: RegExp;
  withinMs: number;
}): Promise<RegExpExecArray> {
  const deadline = performance.now() + of.withinMs;
  for (;;) {
    const found = of.pattern.exec(of.output.out) ?? of.pattern.exec(of.output.err);
    if (found) return found;
    const ended = of.child.exitCode !== null || of.child.signalCode !== null;
    if (ended || performance.now() > deadline)
      throw new Error(`fleet ${ended ? "ended" : "ran on"} without saying ${of.pattern}:\n${of.output.out}\n${of.output.err}`);
    await pause(20);
  }
}

function quiet(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !/^(AWS|FLEETWRIGHT)_/.test(name));
  const nothing = { AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null", AWS_EC2_METADATA_DISABLED: "true" };
  return { ...Object.fromEntries(kept), ...nothing };
}
