import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { LineSplitter, Tail } from "./lines.ts";
import type { Exit } from "./running.ts";

export type User = { readonly uid: number; readonly gid: number };

export type ProgramOptions = {
  /** An absolute path. */
  readonly file: string;
  /** With the name it was called by. */
  readonly command: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user?: User | undefined;
  readonly output: Output;
};

/** Takes what a program writes, as it comes. Resolves when more may come; undefined when it may come at once. */
export type Output = (from: "stdout" | "stderr", bytes: Buffer) => Promise<void> | undefined;

export type Program = {
  /** Also its process group's. */
  readonly pid: number;
  /** When the program has ended and nothing of its process group is left. Never rejects. */
  readonly exited: Promise<Exit>;
  /** SIGTERM to the whole group, SIGKILL after the grace. */
  stop(graceMs: number): void;
};

const tailLines = 20;
const tailLength = 1_000;
/** Output is read after the end until nothing has come for so long, in case something else still holds the pipe; and no longer than that. */
const silentMs = 2_000;
const drainMs = 30_000;

/** Starts a program as leader of its own process group. Rejects when the system cannot start it. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const child = spawn(options.file, options.command.slice(1), {
    argv0: options.command[0] ?? options.file,
    cwd: options.folder,
    env: { ...options.env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.user ? { uid: options.user.uid, gid: options.user.gid } : {}),
  });
  const tail = new Tail(tailLines);
  const drained = readOutput(child, options.output, tail);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const pid = await started(child);
  await yieldMemory(pid);

  let over = false;
  let killTimer: NodeJS.Timeout | undefined;
  const stop = (graceMs: number): void => {
    // Once it is over its number may be somebody else's.
    if (over) return;
    signalGroup(pid, "SIGTERM");
    clearTimeout(killTimer);
    killTimer = setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs);
  };
  const exited = (async (): Promise<Exit> => {
    const end = await ended;
    over = true;
    clearTimeout(killTimer);
    // Whatever it left behind in its group ends with it: its GPUs are free from here on.
    signalGroup(pid, "SIGKILL");
    await drained();
    return exitOf(end, tail);
  })();
  return { pid, exited, stop };
}

const started = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => resolve(child.pid ?? 0));
  });

/** What it returns waits until all output is read, or a bounded time when somebody else keeps the pipe open. */
function readOutput(child: ChildProcess, output: Output, tail: Tail): () => Promise<void> {
  const closed = new Promise<"closed">((resolve) => child.once("close", () => resolve("closed")));
  const lastOfStderr = new LineSplitter((line) => tail.push(line));
  let atMs = performance.now();
  let heldBack = 0;
  const read = (from: "stdout" | "stderr", stream: Readable): void => {
    stream.on("data", (bytes: Buffer) => {
      atMs = performance.now();
      if (from === "stderr") lastOfStderr.push(bytes);
      const room = output(from, bytes);
      if (room === undefined) return;
      stream.pause();
      heldBack++;
      void room.then(() => {
        heldBack--;
        atMs = performance.now();
        stream.resume();
      });
    });
  };
  const streams = { stdout: child.stdout, stderr: child.stderr };
  for (const from of ["stdout", "stderr"] as const) if (streams[from]) read(from, streams[from]);
  return async () => {
    const endMs = performance.now();
    atMs = endMs;
    for (let now = endMs; now < endMs + drainMs; now = performance.now()) {
      if (heldBack === 0 && now >= atMs + silentMs) break;
      if ((await Promise.race([closed, pause(silentMs / 20)])) === "closed") break;
    }
    for (const stream of Object.values(streams)) stream?.destroy();
    lastOfStderr.end();
  };
}

function exitOf(end: { code: number | null; signal: NodeJS.Signals | null }, tail: Tail): Exit {
  if (end.code === 0) return { code: 0 };
  const said = tail.text(tailLength);
  if (end.signal === null) return { code: end.code ?? 1, reason: said === "" ? undefined : said };
  const reason = `killed by ${end.signal}${said === "" ? "" : `:\n${said}`}`;
  return { code: 128 + constants.signals[end.signal], reason };
}

/** When memory is short the system shall end a job, never the worker; a job may have inherited its protection. */
async function yieldMemory(pid: number): Promise<void> {
  // Not Linux, or over already.
  await writeFile(`/proc/${pid}/oom_score_adj`, "300").catch(() => undefined);
}

/** True when there was somebody to signal. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  // 0 and 1 would be our own group, or everybody.
  if (pid <= 1) return false;
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
