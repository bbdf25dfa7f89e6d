import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";

export type Ran = { readonly code: number | null; readonly out: string; readonly err: string; readonly seconds: number };
export type At = {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Time limit, after which the program is killed with everything that it started. */
  readonly withinMs?: number;
};

/** Runs a program to its end. */
export async function run(program: string, args: readonly string[], { cwd, env, input = "", withinMs = 180_000 }: At): Promise<Ran> {
  const startedMs = performance.now();
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => undefined).end(input);
  const output = collectOutput(child);
  const timer = setTimeout(() => {
    output.err += `\n(killed: it ran for more than ${withinMs / 1_000} s)\n`;
    killGroup(child);
  }, withinMs);
  const code = await ended(child);
  clearTimeout(timer);
  return { code, ...output, seconds: Math.round((performance.now() - startedMs) / 1_000) };
}

/** Like `run`, for a program that must succeed before anything can be tested. */
export async function must(program: string, args: readonly string[], at: At): Promise<Ran> {
  const ran = await run(program, args, at);
  if (ran.code === 0) return ran;
  throw new Error(`${program} ${args.join(" ")} ended with ${ran.code}\n${ran.out}\n${ran.err}`);
}

/** A local cloud that runs until it is stopped. */
export type RunningCloud = { readonly endpoint: string; stop(): Promise<void> };

/** Runs the command, which starts a local cloud, and resolves when it listens. */
export async function startCloud(command: string, { cwd, env }: At): Promise<RunningCloud> {
  const child = spawn("bash", ["-c", command], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const output = collectOutput(child);
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.pid === undefined) return;
    process.kill(-child.pid, "SIGINT");
    const late = setTimeout(() => killGroup(child), 20_000);
    await ended(child);
    clearTimeout(late);
  };
  for (const deadline = performance.now() + 240_000; performance.now() < deadline; await pause(100)) {
    const [, endpoint] = /^local cloud at (\S+)$/m.exec(output.out) ?? [];
    if (endpoint !== undefined) return { endpoint, stop };
    if (child.exitCode !== null) break;
  }
  await stop();
  throw new Error(`${command} did not start a local cloud\n${output.out}\n${output.err}`);
}

function collectOutput(child: ChildProcess): { out: string; err: string } {
  const output = { out: "", err: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output.out += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output.err += text;
  });
  return output;
}

const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode === null && child.signalCode === null
    ? new Promise((resolve, reject) => child.once("close", (code) => resolve(code)).once("error", reject))
    : Promise.resolve(child.exitCode);

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // The process has already ended.
  }
}
