import { type ChildProcess, spawn } from "node:child_process";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "..", "..");

/** Why a program failed, with all that it printed. */
export class ProgramFailed extends Error {}

const running = new Set<ChildProcess>();

/** Ends a program with all that it has started, which is why each program is the leader of a group. */
function endAll({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

const endRunning = (): void => {
  for (const child of running) endAll(child);
};
process.once("exit", endRunning);
// By default, these signals end a process without the event above.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => {
    endRunning();
    process.kill(process.pid, signal);
  });

type Program = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
};

/** Runs a program in the root of the checkout. Returns what it printed, errors included. Throws a ProgramFailed unless it exits with 0. */
export async function run({ command, args, env, timeoutMs }: Program): Promise<string> {
  const child = spawn(command, [...args], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const timer = setTimeout(() => endAll(child), timeoutMs);
  running.add(child);
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => printed.push(chunk));
  const ended = await new Promise<string | undefined>((done) => {
    child.once("error", (error) => done(error.message));
    child.once("close", (code, signal) => done(code === 0 ? undefined : `it ended with ${signal ?? code}`));
  });
  clearTimeout(timer);
  running.delete(child);
  const output = Buffer.concat(printed).toString();
  if (ended !== undefined) throw new ProgramFailed(`${[command, ...args].join(" ")}: ${ended}. It printed:\n${output}`);
  return output;
}

/**
 * Returns the environment of a program that works in the account at `url`. Nothing of the user's own settings of AWS is in it. `home` is
 * a folder for what the CDK's command line remembers between runs. MiniStack takes the credentials `test` for those of the account's root.
 */
export const accountEnvironment = ({ url, home }: { url: string; home: string }): Readonly<Record<string, string>> => ({
  PATH: [join(root, "node_modules", ".bin"), process.env["PATH"] ?? ""].join(":"),
  HOME: home,
  AWS_ENDPOINT_URL: url,
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test",
  AWS_REGION: "us-east-1",
  AWS_DEFAULT_REGION: "us-east-1",
  AWS_EC2_METADATA_DISABLED: "true",
  CDK_DISABLE_CLI_TELEMETRY: "true",
  NO_COLOR: "1",
});

/** Runs the CDK's command line as it is installed. */
export const cdk = (env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<string> =>
  run({ command: "cdk", args: [...args, "--ci", "--no-notices"], env, timeoutMs: 240_000 });
