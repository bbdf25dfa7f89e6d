import { type CommandEnd, runCommand } from "../program/command.ts";
import { findExecutable } from "../program/executable.ts";

/** The docker command line of this machine. */
export type Docker = {
  readonly file: string;
  /**
   * The client's whole environment. A job's own variables never get in: the client is root's, and some of them say which
   * engine it speaks to (DOCKER_HOST), what it runs for credentials (DOCKER_CONFIG) or what is loaded into it (LD_PRELOAD).
   */
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], bounds: Bounds): Promise<CommandEnd>;
};

export type Bounds = {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onOutput?: ((bytes: Buffer) => void) | undefined;
};

/** Looks for `docker` on the search path; undefined when there is none. It is looked for each time: nothing is known of its engine. */
export async function findDocker(path: string): Promise<Docker | undefined> {
  const found = await findExecutable("docker", { folder: "/", path });
  if (found.kind === "missing") return undefined;
  const { file } = found;
  const env = { PATH: path };
  return { file, env, run: (args, bounds) => runCommand({ file, args, env, ...bounds }) };
}

/** What a docker command that did not do its work says about it, in one line. */
export function complaintOf(end: CommandEnd): string {
  if (end.kind !== "ended") return end.because;
  const said = end.stderr.trim() || end.stdout.trim() || `docker ended with ${end.code}`;
  return said
    .replace(/\s*Run 'docker [a-z ]*--help' for more information\s*/g, "")
    .replace(/\s+/g, " ")
    .slice(0, 1_000);
}

/** Ended, and with code 0. */
export const didIt = (end: CommandEnd): end is Extract<CommandEnd, { kind: "ended" }> => end.kind === "ended" && end.code === 0;
