import * as z from "zod";
import { FleetError } from "../../model/fleet-error.ts";
import { exitCodes, UsageError, whatWentWrong } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import type { Context } from "../session/context.ts";

/** Makes the local cloud's EC2 take a spot instance back, with a notice two minutes ahead. */
export async function interrupt(node: string, options: { json?: boolean | undefined }, { connection, console }: Context): Promise<number> {
  const { endpoint } = connection;
  if (endpoint === undefined)
    throw new UsageError(
      "only a local cloud supports this command; on AWS, use AWS FIS with the action aws:ec2:send-spot-instance-interruptions",
    );
  if (!/^i-[0-9a-f]+$/.test(node)) throw new UsageError(`${node} is not an instance id; list the nodes with: ${commandLine("nodes")}`);
  await post(endpoint, node);
  if (options.json) console.out(JSON.stringify({ node, interrupted: true }));
  else console.out(`${node} has got its interruption notice; watch it with: ${commandLine("node", node)}`);
  return exitCodes.ok;
}

const Refusal = z.object({ message: z.string() });

async function post(endpoint: string, instance: string): Promise<void> {
  const url = new URL("/_local/interrupt", endpoint);
  const headers = { "content-type": "application/json" };
  const sent = { method: "POST", headers, body: JSON.stringify({ instance }), signal: AbortSignal.timeout(10_000) };
  const response = await fetch(url, sent).catch((error: unknown) => {
    throw new FleetError("no-connection", `the local cloud at ${endpoint} does not respond (${whatWentWrong(error)})`, { cause: error });
  });
  if (response.ok) return;
  const { data } = Refusal.safeParse(await response.json().catch(() => undefined));
  throw new FleetError("interrupt", data?.message ?? `the local cloud returned ${response.status}; it may be of another release`);
}
