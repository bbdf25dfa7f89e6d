import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export type WorkerProcess = {
  readonly child: ChildProcess;
  /** The worker's own log, line by line. */
  readonly log: string[];
  /** Resolves with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
};

/** Starts the worker as an instance does: as a separate process of the compiled code, with only this environment. */
export function startWorker(
  env: Readonly<Record<string, string>>,
  file = join(import.meta.dirname, "../../../lib/worker/main.ts"),
): WorkerProcess {
  const child = spawn(process.execPath, [file], {
    env: {
      PATH: process.env["PATH"] ?? "",
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => log.push(...text.split("\n").filter((line) => line !== "")));
  }
  const ended = once(child, "exit").then(([code, signal]) => (typeof code === "number" ? code : String(signal)));
  return { child, log, ended };
}
