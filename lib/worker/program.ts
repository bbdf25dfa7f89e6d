import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { constants } from "node:os";
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
  readonly onLine: (line: string) => void;
};

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
/** How long output is read after the end, in case something else still holds the pipe. */
const drainMs = 2_000;

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
  const drained = readOutput(child, options.onLine, tail);
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

/** The answer waits until all output is read, or a bounded time when somebody else keeps the pipe open. */
function readOutput(child: ChildProcess, onLine: (line: string) => void, tail: Tail): () => Promise<void> {
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const splitters = [
    { stream: child.stdout, splitter: new LineSplitter(onLine) },
    {
      stream: child.stderr,
      splitter: new LineSplitter((line) => {
        tail.push(line);
        onLine(line);
      }),
    },
  ];
  for (const { stream, splitter } of splitters) stream?.on("data", (bytes: Buffer) => splitter.push(bytes));
  return async () => {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs);
    });
    await Promise.race([closed, tooLate]);
    clearTimeout(timer);
    for (const { stream, splitter } of splitters) {
      stream?.destroy();
      splitter.end();
    }
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
