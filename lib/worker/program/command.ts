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
  /** After this time it is killed, together with all processes that it started. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Receives each piece of standard output as it arrives. */
  readonly onOutput?: ((bytes: Buffer) => void) | undefined;
};

/** How a command ended. `stdout` and `stderr` are cut at 1 MiB each. */
export type CommandEnd =
  | { readonly kind: "ended"; readonly code: number; readonly stdout: string; readonly stderr: string }
  /** It was killed after its time, because its signal was aborted, or from outside. */
  | { readonly kind: "killed"; readonly reason: string }
  | { readonly kind: "not-started"; readonly reason: string; readonly error: unknown };

/** Returns the error that prevented the command from starting, for the log. */
export const errorOf = (end: CommandEnd): unknown => (end.kind === "not-started" ? end.error : undefined);

const maxBytes = 1024 ** 2;

/** Runs a short helper program to its end, as leader of its own process group. Never rejects. */
export async function runCommand(command: Command): Promise<CommandEnd> {
  const { file, args, env, timeoutMs, signal } = command;
  if (signal?.aborted) return { kind: "killed", reason: "it was stopped" };
  let child: ChildProcessByStdio<null, Readable, Readable>;
  try {
    child = spawn(file, args, { cwd: "/", env: { ...env }, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    return { kind: "not-started", reason: withCauses(error), error };
  }
  const ended = endOf(child);
  // Without free file descriptors Node creates no pipes, and the error is emitted later.
  const stdout = collect(child.stdout ?? undefined, command.onOutput);
  const stderr = collect(child.stderr ?? undefined);
  let reason = "it was killed";
  const kill = (why: string): void => {
    reason = why;
    if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
    // A process that left the group may keep the other ends open.
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const timer = setTimeout(() => kill(`it took longer than ${timeoutMs / 1000} s`), timeoutMs);
  const stop = () => kill("it was stopped");
  signal?.addEventListener("abort", stop, { once: true });
  const end = await ended;
  clearTimeout(timer);
  signal?.removeEventListener("abort", stop);
  if (end instanceof Error) return { kind: "not-started", reason: withCauses(end), error: end };
  if (end === undefined) return { kind: "killed", reason };
  return { kind: "ended", code: end, stdout: stdout(), stderr: stderr() };
}

/** Resolves with the exit code, undefined if a signal ended it, or the error if it never started. */
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
    if (bytes <= maxBytes) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString("utf8");
}
