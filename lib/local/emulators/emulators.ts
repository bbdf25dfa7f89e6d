import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { inWords } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { LocalLog } from "../run/log-line.ts";
import { emulatorPython } from "./python.ts";

export type Emulators = {
  /** The URL of everything except EC2, SSM and CloudWatch metrics. */
  readonly ministackUrl: string;
  /** The URL of EC2, SSM and CloudWatch metrics. */
  readonly motoUrl: string;
  /** Resolves when both processes have ended. Calling it twice is safe. */
  stop(): Promise<void>;
};

type Running = { readonly url: string; stop(): Promise<void> };

/** Long, because a new installation compiles its modules while it loads them. */
const startTimeoutMs = 120_000;

/**
 * Starts both emulators, empty, on free ports of 127.0.0.1, and resolves when both respond. They end with `stop()`, and with
 * this process however it ends. `folder` contains their installation, and `logFolder` (default: `folder`) their output.
 * With `account`, MiniStack stands in for an account into which the stack can be deployed, and judges each call by its policies.
 */
export async function startEmulators(options: {
  folder: string;
  logFolder?: string;
  account?: boolean;
  log: LocalLog;
}): Promise<Emulators> {
  const python = await emulatorPython(options);
  const logFolder = options.logFolder ?? options.folder;
  await mkdir(logFolder, { recursive: true });
  const ministackArguments = ["ministack", ...(options.account ? ["--account"] : [])] as const;
  const started = await Promise.allSettled([serve(python, ministackArguments, logFolder), serve(python, ["moto"], logFolder)]);
  const stop = async (): Promise<void> => {
    await Promise.all(started.flatMap((one) => (one.status === "fulfilled" ? [one.value.stop()] : [])));
  };
  const [ministack, moto] = started;
  if (ministack.status === "fulfilled" && moto.status === "fulfilled")
    return { ministackUrl: ministack.value.url, motoUrl: moto.value.url, stop };
  await stop();
  throw ministack.status === "rejected" ? ministack.reason : moto.status === "rejected" ? moto.reason : new Error("unreachable");
}

type Arguments = readonly [name: "ministack" | "moto", ...options: readonly string[]];

async function serve(python: string, given: Arguments, logFolder: string): Promise<Running> {
  const [name] = given;
  const logFile = join(logFolder, `${name}.log`);
  const child = spawn(python, [join(import.meta.dirname, "serve.py"), ...given], {
    stdio: ["pipe", "pipe", "pipe"],
    env: environment(logFolder),
    // Ctrl-C in a terminal must not reach it, because it is still needed while the cloud closes.
    detached: true,
  });
  child.stderr.pipe(createWriteStream(logFile));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()).once("error", () => resolve()));
  // They keep everything in memory, so a graceful end would save nothing.
  const stop = (): Promise<void> => {
    child.kill("SIGKILL");
    return ended;
  };
  try {
    const port = await listening(child, name, logFile);
    child.stdout.resume();
    const url = `http://127.0.0.1:${port}`;
    const health = await fetch(`${url}/${name === "moto" ? "moto-api/config" : "health"}`, {
      signal: AbortSignal.timeout(startTimeoutMs),
    });
    await health.arrayBuffer();
    if (!health.ok) throw new FleetError("emulator-ill", `The health check of ${name} returned ${health.status}; see ${logFile}`);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Returns the environment without AWS settings and emulator options of the user, which must not change what runs here. */
function environment(temporary: string): NodeJS.ProcessEnv {
  const kept = ["PATH", "HOME", "LANG", "SYSTEMROOT"].flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  return { ...Object.fromEntries(kept), TMPDIR: temporary, PYTHONUNBUFFERED: "1" };
}

function listening(child: ChildProcess, name: string, logFile: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (why: string | Error): void => {
      const cause = typeof why === "string" ? undefined : why;
      reject(new FleetError("emulator-not-started", `${name} did not start: ${inWords(why)}; see ${logFile}`, { cause }));
    };
    const timer = setTimeout(() => fail(`it was not ready after ${startTimeoutMs / 1000} s`), startTimeoutMs);
    child.once("error", fail);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      fail(`it ended with ${signal ?? code}`);
    });
    if (!child.stdout) return fail("it has no output");
    createInterface({ input: child.stdout }).on("line", (line) => {
      const port = /^listening (\d+)$/.exec(line)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(Number(port));
    });
  });
}
