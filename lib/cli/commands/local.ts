import { readAnnouncement } from "../../local/announcement.ts";
import { readBehaviour } from "../../local/ec2/behaviour-file.ts";
import { Fault } from "../../model/fault.ts";
import { stateFolder } from "../connection.ts";
import type { Console } from "../console.ts";
import { exitCodes } from "../exit.ts";
import { isFree, usualPort } from "../free-port.ts";
import { withLocalCloud } from "../local-session.ts";

/** Keeps a local cloud running until it is told to end. Without a port it takes the usual one, or any when that is taken. */
export async function local(
  options: { port?: number | undefined; ec2?: string | undefined; json?: boolean | undefined },
  console: Console,
): Promise<number> {
  const ec2 = options.ec2 === undefined ? {} : { ec2: await readBehaviour(options.ec2) };
  const other = await readAnnouncement(stateFolder);
  const port = await portFor(options.port, console);
  const at = { folder: stateFolder, announce: true, log: console.note, ...(port === undefined ? {} : { port }), ...ec2 };
  let started = false;
  await withLocalCloud(at, async (cloud, { signal }) => {
    const [team = "TEAM"] = cloud.deployment.teams;
    const queue = `${cloud.endpoint}/000000000000/${cloud.deployment.jobsQueuePrefix}${team}`;
    if (other) console.note(`beside the local cloud at ${other.endpoint}: until this one ends, the other fleet commands speak to this one`);
    const lines = [
      `local cloud at ${cloud.endpoint}`,
      "",
      "Submit a job (any keys will do; region us-east-1):",
      `  npm run -s fleet -- submit job.json --team ${team}`,
      `  aws --endpoint-url ${cloud.endpoint} sqs send-message --queue-url ${queue} --message-body '{"command":["echo","hello"]}'`,
      "",
      `teams: ${cloud.deployment.teams.join(", ")}   pools: ${cloud.deployment.pools.join(", ")}   end with Ctrl-C`,
    ];
    const { teams, pools } = cloud.deployment;
    for (const line of options.json ? [JSON.stringify({ endpoint: cloud.endpoint, region: cloud.region, teams, pools })] : lines)
      console.out(line);
    started = true;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  });
  console.note(started ? "ended" : "interrupted while it started; everything that was started has been ended");
  return started ? exitCodes.ok : exitCodes.interrupted;
}

async function portFor(asked: number | undefined, console: Console): Promise<number | undefined> {
  const wanted = asked ?? usualPort;
  if (await isFree(wanted)) return wanted;
  if (asked !== undefined)
    throw new Fault("port-taken", `port ${asked} of 127.0.0.1 is taken; name another one, or leave --port out to have a free one`);
  console.note(`port ${wanted} is taken; taking a free one (--port names another)`);
  return undefined;
}
