import * as z from "zod";
import type { End, Exit } from "../program/running.ts";

type Lost = Extract<End, { kind: "failed" }>;

/** What `docker inspect` says of a container's state. A container that never began has the year 1 for its start. */
export const ContainerState = z.object({
  Running: z.boolean(),
  OOMKilled: z.boolean().default(false),
  ExitCode: z.int(),
  Error: z.string().default(""),
  StartedAt: z.string(),
});
export type ContainerState = z.infer<typeof ContainerState>;

/** `none`: there is no such container. `unknown`: the engine does not say. */
export type Inspected = ContainerState | "none" | "unknown";

/** Codes that `docker run` has for itself. */
const dockersOwn = 125;
const notExecutable = 126;
const notFound = 127;
const killed = 137;

/** What Docker's client says of arguments that it cannot read: it would say the same on every node. */
const refusesCommandLine =
  /invalid argument ".*" for ".*" flag|unknown (?:shorthand )?flag|flag needs an argument|invalid reference format|repository name must/;

const hasBegun = (state: ContainerState): boolean => !state.StartedAt.startsWith("0001-");

/**
 * How a container ended: `client` is what `docker run` ended with, whose codes a program may have too, so the engine is
 * asked. What Docker could not do is this machine's trouble, and may do on another.
 */
export function endOf(client: Exit, inspected: Inspected, spec: { readonly memoryGiB: number }): End {
  const lost = (why: string): Lost => ({ kind: "failed", reason: `${why}${client.reason ? `: ${client.reason}` : ""}`, again: true });
  if (inspected === "unknown") return lost("Docker does not say how the container ended");
  if (inspected === "none") {
    if (/no command specified/i.test(client.reason ?? "")) {
      return { kind: "failed", reason: 'the image has no program of its own: give a "command"', again: false };
    }
    if (refusesCommandLine.test(client.reason ?? "")) return { ...lost("Docker refuses the job's command line"), again: false };
    return lost("Docker could not make the container");
  }
  if (inspected.Running) return lost("Docker let go of the container while it ran");
  if (!hasBegun(inspected)) return neverBegan(client, inspected) ?? lost("Docker could not start the container");
  // The client lost its engine, and the container went down with it.
  if (client.code === dockersOwn && inspected.ExitCode !== dockersOwn) return lost("Docker failed while the container ran");
  return { kind: "exited", ...exitOf(client, inspected, spec) };
}

function neverBegan(client: Exit, { ExitCode, Error: error }: ContainerState): End | undefined {
  const code = [ExitCode, client.code].find((each) => each === notExecutable || each === notFound);
  if (code === undefined) return undefined;
  const why = code === notFound ? "command not found in the image" : "the command could not be started in the image";
  return { kind: "exited", code, reason: `${why}: ${error || client.reason || "Docker says no more"}`.slice(0, 1_000) };
}

function exitOf(client: Exit, { ExitCode: code, OOMKilled }: ContainerState, spec: { readonly memoryGiB: number }): Exit {
  if (code === 0) return { code };
  const said = client.reason ?? "";
  const then = said === "" ? "" : `; ${said}`;
  if (OOMKilled) return { code, reason: `ran out of its ${spec.memoryGiB} GiB of memory${then}` };
  if (code === killed) return { code, reason: `killed by SIGKILL, perhaps for want of memory${then}` };
  return { code, reason: said === "" ? undefined : said };
}
