import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { type Readable, Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { launchable, launcher, launchText } from "./launcher.ts";
import { LineSplitter, Tail } from "./lines.ts";
import type { Exit } from "./running.ts";
import type { User } from "./user.ts";

export type ProgramOptions = {
  /** An absolute path. */
  readonly file: string;
  /** The arguments, including the name that the program is called by. */
  readonly command: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user?: User | undefined;
  /** The file of the cgroup in which the program starts; undefined for the worker's own. Joining one needs root. */
  readonly cgroupProcs?: string | undefined;
  readonly output: Output;
};

/** Receives output as it arrives. Returns a promise that resolves when more may be written, or undefined if more may be written at once. */
export type Output = (from: "stdout" | "stderr", bytes: Buffer) => Promise<void> | undefined;

export type Program = {
  /** The id of the process and of its process group. */
  readonly pid: number;
  /** Resolves when the program has ended and its process group is empty. Never rejects. */
  readonly exited: Promise<Exit>;
  /** Sends SIGTERM to the whole group, and SIGKILL after the grace period. */
  stop(graceMs: number): void;
};

const tailLines = 20;
const tailLength = 1_000;
/** After the end, output is read until it stays silent for `silentMs`, at most for `drainMs`, because another process may hold the pipe. */
const silentMs = 2_000;
const drainMs = 30_000;

/** Starts a program as the leader of its own process group. Rejects if the system cannot start it. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const child = options.cgroupProcs === undefined ? spawnDirectly(options) : await spawnConfined(options, options.cgroupProcs);
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
    // After its end, its id may belong to another process.
    if (over) return;
    signalGroup(pid, "SIGTERM");
    clearTimeout(killTimer);
    killTimer = setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs);
  };
  const exited = (async (): Promise<Exit> => {
    const end = await ended;
    over = true;
    clearTimeout(killTimer);
    // The rest of its group must end with it, so that its GPUs are free from now on.
    signalGroup(pid, "SIGKILL");
    await drained();
    return exitOf(end, tail);
  })();
  return { pid, exited, stop };
}

const spawnDirectly = ({ file, command, folder, env, user }: ProgramOptions): ChildProcess =>
  spawn(file, command.slice(1), {
    argv0: command[0] ?? file,
    cwd: folder,
    env: { ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
  });

/** Starts the launcher, which becomes the program in its cgroup. */
async function spawnConfined({ file, command, folder, env, user }: ProgramOptions, procs: string): Promise<ChildProcess> {
  const launched = await launchable({ file, command, folder, env });
  const child = spawn(launcher.file, launcher.args, { cwd: "/", env: {}, detached: true, stdio: ["ignore", "pipe", "pipe", "pipe"] });
  const pipe = child.stdio[3];
  if (!(pipe instanceof Writable)) throw new Error("the launcher has no pipe");
  // If the launcher is killed before it has read everything, its exit shows that.
  pipe.on("error", () => undefined);
  pipe.end(launchText({ procs, user }, launched));
  return child;
}

const started = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => resolve(child.pid ?? 0));
  });

/** Returns a function that waits until all output is read, or a bounded time if another process keeps the pipe open. */
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
  const output = tail.text(tailLength);
  if (end.signal === null) return { code: end.code ?? 1, reason: output === "" ? undefined : output };
  const reason = `killed by ${end.signal}${output === "" ? "" : `:\n${output}`}`;
  return { code: 128 + constants.signals[end.signal], reason };
}

/** If memory is short, the kernel must kill a job rather than the worker. A job may have inherited the worker's protection. */
async function yieldMemory(pid: number): Promise<void> {
  // This fails if the system is not Linux or the program has already ended.
  await writeFile(`/proc/${pid}/oom_score_adj`, "300").catch(() => undefined);
}

/** Signals a process group. Returns whether it exists. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  // 0 would signal the worker's own group, and 1 every process.
  if (pid <= 1) return false;
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
