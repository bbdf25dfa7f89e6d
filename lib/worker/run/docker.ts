import { type CommandEnd, runCommand } from "../program/command.ts";
import { findExecutable } from "../program/executable.ts";

/** The docker command line of this machine. */
export type Docker = {
  readonly file: string;
  /**
   * The client's whole environment. It must not contain a job's variables, because the client runs as root and variables choose its
   * engine (DOCKER_HOST), the program that it runs for credentials (DOCKER_CONFIG) and the libraries that it loads (LD_PRELOAD).
   */
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], bounds: DockerCallOptions): Promise<CommandEnd>;
};

export type DockerCallOptions = {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onOutput?: ((bytes: Buffer) => void) | undefined;
};

/** Finds `docker` on the search path, or returns undefined if there is none. It does not check that the engine runs. */
export async function findDocker(path: string): Promise<Docker | undefined> {
  const found = await findExecutable("docker", { folder: "/", path });
  if (found.kind === "missing") return undefined;
  const { file } = found;
  const env = { PATH: path };
  return { file, env, run: (args, bounds) => runCommand({ file, args, env, ...bounds }) };
}

/** Returns what a failed docker command printed, in one line. */
export function complaintOf(end: CommandEnd): string {
  if (end.kind !== "ended") return end.reason;
  const message = end.stderr.trim() || end.stdout.trim() || `docker exited with code ${end.code}`;
  return message
    .replace(/\s*Run 'docker [a-z ]*--help' for more information\s*/g, "")
    .replace(/\s+/g, " ")
    .slice(0, 1_000);
}

/** Reports whether a command ended with code 0. */
export const didIt = (end: CommandEnd): end is Extract<CommandEnd, { kind: "ended" }> => end.kind === "ended" && end.code === 0;
