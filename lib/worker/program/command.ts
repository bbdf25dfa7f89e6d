import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { withCauses } from "../../model/errors/in-words.ts";
import { signalGroup } from "./program.ts";

export type Command = {
  /** An absolute path. */
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Then it is killed, with all that it started. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Sees each piece of standard output as it comes. */
  readonly onOutput?: ((bytes: Buffer) => void) | undefined;
};

/** What came of a command. What it wrote is cut at 1 MiB each. */
export type CommandEnd =
  | { readonly kind: "ended"; readonly code: number; readonly stdout: string; readonly stderr: string }
  /** It was killed: because its time was over, because of the signal given, or by somebody else. */
  | { readonly kind: "killed"; readonly because: string }
  | { readonly kind: "not-started"; readonly because: string; readonly error: unknown };

/** What kept a program from being started, for the log. */
export const errorOf = (end: CommandEnd): unknown => (end.kind === "not-started" ? end.error : undefined);

const mostBytes = 1024 ** 2;

/** Runs a short helper program to its end, as leader of its own process group. Never rejects. */
export async function runCommand(command: Command): Promise<CommandEnd> {
  const { file, args, env, timeoutMs, signal } = command;
  if (signal?.aborted) return { kind: "killed", because: "it was stopped" };
  let child: ChildProcessByStdio<null, Readable, Readable>;
  try {
    child = spawn(file, args, { cwd: "/", env: { ...env }, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    return { kind: "not-started", because: withCauses(error), error };
  }
  const ended = endOf(child);
  // Short of files, Node makes no pipes; the error follows.
  const stdout = collect(child.stdout ?? undefined, command.onOutput);
  const stderr = collect(child.stderr ?? undefined);
  let because = "it was killed";
  const kill = (why: string): void => {
    because = why;
    if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
    // Somebody who left the group may hold the other ends open.
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const timer = setTimeout(() => kill(`it took longer than ${timeoutMs / 1000} s`), timeoutMs);
  const stop = () => kill("it was stopped");
  signal?.addEventListener("abort", stop, { once: true });
  const end = await ended;
  clearTimeout(timer);
  signal?.removeEventListener("abort", stop);
  if (end instanceof Error) return { kind: "not-started", because: withCauses(end), error: end };
  if (end === undefined) return { kind: "killed", because };
  return { kind: "ended", code: end, stdout: stdout(), stderr: stderr() };
}

/** Its exit code; undefined when a signal ended it; the error when it never began. */
const endOf = (child: ChildProcess): Promise<number | undefined | Error> =>
  new Promise((resolve) => {
    child.once("error", resolve);
    child.once("close", (code) => resolve(code ?? undefined));
  });

function collect(stream: Readable | undefined, onOutput?: (bytes: Buffer) => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on("data", (chunk: Buffer) => {
    onOutput?.(chunk);
    bytes += chunk.length;
    if (bytes <= mostBytes) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString("utf8");
}
