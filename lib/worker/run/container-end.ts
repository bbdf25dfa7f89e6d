import * as z from "zod";
import type { Exit, ProgramEnd } from "../program/running.ts";

type Lost = Extract<ProgramEnd, { kind: "failed" }>;

/** The state that `docker inspect` reports. The start of a container that never started is in the year 1. */
export const ContainerState = z.object({
  Running: z.boolean(),
  OOMKilled: z.boolean().default(false),
  ExitCode: z.int(),
  Error: z.string().default(""),
  StartedAt: z.string(),
});
export type ContainerState = z.infer<typeof ContainerState>;

/** `none`: there is no such container. `unknown`: the engine did not report its state. */
export type Inspected = ContainerState | "none" | "unknown";

/** Exit codes that `docker run` sets itself. */
const dockersOwn = 125;
const notExecutable = 126;
const notFound = 127;
const killed = 137;

/** Messages of Docker's client about arguments that it does not accept. They would be the same on every node. */
const refusesCommandLine =
  /invalid argument ".*" for ".*" flag|unknown (?:shorthand )?flag|flag needs an argument|invalid reference format|repository name must/;

const hasBegun = (state: ContainerState): boolean => !state.StartedAt.startsWith("0001-");

/**
 * Returns how a job ended in its container. `client` is the exit of `docker run`. The state of the container must be known too, because a
 * program can exit with the same codes as Docker's client. If Docker itself failed, the job may be tried on another node.
 */
export function endOf(client: Exit, inspected: Inspected, spec: { readonly memoryGiB: number }): ProgramEnd {
  const lost = (why: string): Lost => ({ kind: "failed", reason: `${why}${client.reason ? `: ${client.reason}` : ""}`, again: true });
  if (inspected === "unknown") return lost("Docker did not report how the container ended");
  if (inspected === "none") {
    if (/no command specified/i.test(client.reason ?? "")) {
      return { kind: "failed", reason: 'the image defines no command: add a "command" to the job', again: false };
    }
    if (refusesCommandLine.test(client.reason ?? "")) return { ...lost("Docker refused the job's command line"), again: false };
    return lost("Docker could not create the container");
  }
  if (inspected.Running) return lost("Docker's client ended while the container ran");
  if (!hasBegun(inspected)) return neverBegan(client, inspected) ?? lost("Docker could not start the container");
  // The client lost its connection to the engine, and the container ended with the engine.
  if (client.code === dockersOwn && inspected.ExitCode !== dockersOwn) return lost("Docker failed while the container ran");
  return { kind: "exited", ...exitOf(client, inspected, spec) };
}

function neverBegan(client: Exit, { ExitCode, Error: error }: ContainerState): ProgramEnd | undefined {
  const code = [ExitCode, client.code].find((each) => each === notExecutable || each === notFound);
  if (code === undefined) return undefined;
  const why = code === notFound ? "command not found in the image" : "the command could not be started in the image";
  return { kind: "exited", code, reason: `${why}: ${error || client.reason || "Docker gave no reason"}`.slice(0, 1_000) };
}

function exitOf(client: Exit, { ExitCode: code, OOMKilled }: ContainerState, spec: { readonly memoryGiB: number }): Exit {
  if (code === 0) return { code };
  const clientReason = client.reason ?? "";
  const then = clientReason === "" ? "" : `; ${clientReason}`;
  if (OOMKilled) return { code, reason: `ran out of its ${spec.memoryGiB} GiB of memory${then}` };
  if (code === killed) return { code, reason: `killed by SIGKILL, possibly because it ran out of memory${then}` };
  return { code, reason: clientReason === "" ? undefined : clientReason };
}
