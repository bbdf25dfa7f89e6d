import { stateFolder } from "../connection.ts";
import type { Console } from "../console.ts";
import { exitCodes } from "../exit.ts";
import { withLocalCloud } from "../local-session.ts";

/** Keeps a local cloud running until it is told to end. */
export async function local(options: { port: number }, console: Console): Promise<number> {
  await withLocalCloud({ folder: stateFolder, port: options.port, announce: true, log: console.note }, async (cloud, { signal }) => {
    const [team = "TEAM"] = cloud.deployment.teams;
    const queue = `${cloud.endpoint}/000000000000/${cloud.deployment.jobsQueuePrefix}${team}`;
    for (const line of [
      `local cloud at ${cloud.endpoint}`,
      "",
      "Submit a job (any keys will do; region us-east-1):",
      `  npm run -s fleet -- submit job.json --team ${team}`,
      `  aws --endpoint-url ${cloud.endpoint} sqs send-message --queue-url ${queue} --message-body '{"command":["echo","hello"]}'`,
      "",
      `teams: ${cloud.deployment.teams.join(", ")}   pools: ${cloud.deployment.pools.join(", ")}   end with Ctrl-C`,
    ])
      console.out(line);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  });
  console.note("ended");
  return exitCodes.ok;
}
