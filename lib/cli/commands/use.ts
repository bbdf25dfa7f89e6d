import { exitCodes } from "../invocation/exit.ts";
import { userFolder } from "../invocation/folders.ts";
import { bareCommandLine, startLocalLine } from "../invocation/invocation.ts";
import { rememberTarget } from "../session/remembered.ts";
import { type Standing, standing } from "../session/standing.ts";
import type { TargetKind } from "../session/target.ts";
import type { Console } from "../terminal/console.ts";
import { factLines } from "../views/job-view.ts";

/** Shows where this user's commands go, and why. With a target, stores it first. */
export async function use(
  target: TargetKind | undefined,
  options: { json?: boolean | undefined },
  console: Pick<Console, "out">,
): Promise<number> {
  if (target !== undefined) await rememberTarget(userFolder(), target);
  const now = await standing();
  if (options.json) console.out(JSON.stringify(json(now)));
  else for (const line of factLines(facts(now))) console.out(line);
  return exitCodes.ok;
}

const json = ({ choice, clouds }: Standing) => ({
  target: choice.kind === "gone" ? null : choice.kind,
  because: choice.because,
  endpoint: choice.kind === "local" ? choice.cloud.endpoint : null,
  localClouds: clouds.running.map(({ endpoint, startedAt }) => ({ endpoint, startedAt })),
});

function facts(now: Standing): [string, string][] {
  const [, ...others] = now.clouds.running;
  return [
    ["target", where(now)],
    ["because", why(now)],
    ...others.map(({ endpoint, startedAt }): [string, string] => ["also", `local cloud at ${endpoint}, since ${startedAt}`]),
  ];
}

function where({ choice }: Standing): string {
  switch (choice.kind) {
    case "local":
      return `local cloud at ${choice.cloud.endpoint}, since ${choice.cloud.startedAt}`;
    case "aws":
      return "AWS, with your usual region and credentials";
    case "gone":
      return `none: commands fail until a local cloud runs (${startLocalLine()}) or AWS is chosen (${bareCommandLine("use", "aws")})`;
  }
}

function why({ choice, clouds: { running } }: Standing): string {
  switch (choice.because) {
    case "option":
      return "an option of this command says so";
    case "environment":
      return "FLEETWRIGHT_TARGET is set in this shell";
    case "remembered":
      return `you ran "${bareCommandLine("use", choice.kind === "aws" ? "aws" : "local")}"`;
    case "clouds":
      if (choice.kind === "aws") return "no local cloud was ever started by this user";
      if (choice.kind === "gone") return `the local cloud at ${choice.last?.endpoint} has ended`;
      return running.length > 1 ? "it is the newest local cloud that runs" : "it is the local cloud that runs";
  }
}
