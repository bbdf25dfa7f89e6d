import { readClouds } from "../../local/announcement.ts";
import type { LocalCloud } from "../../local/cloud.ts";
import { readBehaviour } from "../../local/ec2/behaviour/behaviour-file.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { asMeant } from "../invocation/caller-folder.ts";
import { exitCodes } from "../invocation/exit.ts";
import { cloudFolder, makeWritable, userFolder } from "../invocation/folders.ts";
import { isFree, usualPort } from "../invocation/free-port.ts";
import { bareCommandLine } from "../invocation/invocation.ts";
import { connectLocal } from "../session/connection.ts";
import { withLocalCloud } from "../session/local-session.ts";
import { standing } from "../session/standing.ts";
import { watchTakeovers } from "../session/takeover.ts";
import type { Console } from "../terminal/console.ts";
import { lossInWords, lossOf } from "./local-loss.ts";

/** How long an ending cloud may count what is lost. */
const countMs = 3_000;

/** Runs a local cloud until Ctrl-C. Without a port, it takes the default port, or a free one if that is taken. */
export async function local(
  options: { port?: number | undefined; ec2?: string | undefined; explainAccess?: boolean | undefined; json?: boolean | undefined },
  console: Console,
): Promise<number> {
  const ec2 = options.ec2 === undefined ? {} : { ec2: await readBehaviour(asMeant(options.ec2)) };
  const announceIn = userFolder();
  await makeWritable(announceIn);
  const read = () => readClouds(announceIn);
  const [other] = (await read()).running;
  const port = await portFor(options.port, console);
  const at = {
    folder: cloudFolder,
    announceIn,
    log: console.note,
    explainAccess: options.explainAccess ?? false,
    ...(port === undefined ? {} : { port }),
    ...ec2,
  };
  const farewell = async (cloud: LocalCloud): Promise<void> => {
    const { api, deployment } = await connectLocal(cloud.deployment.name, cloud.endpoint);
    console.note(`ending; ${lossInWords(await lossOf({ api, teams: deployment.teams, withinMs: countMs }))}`);
  };
  let started = false;
  await withLocalCloud({ ...at, farewell }, async (cloud, { signal }) => {
    if (other)
      console.note(
        `this local cloud takes over: until it ends, fleet commands use it, and not the one at ${other.endpoint} (process ${other.pid})`,
      );
    const { wishes } = await standing();
    if ((wishes.environment ?? wishes.remembered) === "aws") console.note(stillAws(wishes.environment === "aws"));
    for (const line of startLines(cloud, options.json ?? false)) console.out(line);
    started = true;
    await watchTakeovers({ endpoint: cloud.endpoint, pid: process.pid }, { read, say: console.note, signal });
  });
  const [next] = (await read()).running;
  if (next && started) console.note(`fleet commands now use the local cloud at ${next.endpoint}`);
  console.note(started ? "ended" : "interrupted during the start; everything that was started has been ended");
  return started ? exitCodes.ok : exitCodes.interrupted;
}

type Started = Pick<LocalCloud, "endpoint" | "region"> & {
  readonly deployment: Pick<LocalCloud["deployment"], "teams" | "pools" | "jobsQueuePrefix">;
};

/** Returns what is printed when a cloud has started, for people or for programs. */
export function startLines(cloud: Started, json: boolean): readonly string[] {
  const { teams, pools } = cloud.deployment;
  return json ? [JSON.stringify({ endpoint: cloud.endpoint, region: cloud.region, teams, pools })] : welcome(cloud);
}

export const stillAws = (ofThisShell: boolean): string =>
  ofThisShell
    ? "commands still go to AWS in a shell in which FLEETWRIGHT_TARGET=aws is set"
    : `commands still go to AWS, because of "${bareCommandLine("use", "aws")}"; to use this cloud: ${bareCommandLine("use", "local")}`;

function welcome({ endpoint, deployment: { jobsQueuePrefix, teams, pools } }: Started): string[] {
  const [team = "TEAM"] = teams;
  const message = `'{"command":["echo","hello"]}'`;
  const keys = "AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1";
  const queue = `${endpoint}/000000000000/${jobsQueuePrefix}${team}`;
  return [
    `local cloud at ${endpoint}`,
    "",
    "Submit a job:",
    `  echo ${message} | ${bareCommandLine("submit", "-", "--team", team)}`,
    `  ${keys} aws --endpoint-url ${endpoint} sqs send-message --queue-url ${queue} --message-body ${message}`,
    "",
    `teams: ${teams.join(", ")}   pools: ${pools.join(", ")}   end with Ctrl-C`,
    "When it ends, its jobs, logs, artifacts and datasets are deleted.",
  ];
}

/** Returns the port to listen on, or undefined for a free one. Throws if the requested one is taken. */
export async function portFor(requested: number | undefined, console: Pick<Console, "note">): Promise<number | undefined> {
  const wanted = requested ?? usualPort;
  if (await isFree(wanted)) return wanted;
  if (requested !== undefined)
    throw new FleetError("port-taken", `port ${requested} of 127.0.0.1 is taken; choose another one, or omit --port to get a free one`);
  console.note(`port ${wanted} is taken; using a free one (--port chooses another)`);
  return undefined;
}
