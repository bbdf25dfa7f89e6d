import type { Command } from "commander";
import type { RedriveOptions } from "../commands/redrive.ts";
import { confirmOnTerminal } from "./confirm.ts";
import { cursor, json, limit, pool as poolOption } from "./options.ts";
import { addDeclareDead, addLimits, addNodeOrders, addPoolOrders, addPoolSettings } from "./orders.ts";
import type { Session } from "./session.ts";

export function addFleet(program: Command, session: Session): void {
  const { run, context } = session;
  program
    .command("nodes")
    .description("list the fleet's instances")
    .addOption(poolOption())
    .addOption(limit(100))
    .addOption(cursor())
    .addOption(json())
    .addHelpText("after", "\nExamples:\n  fleet nodes\n  fleet nodes --pool gpu --json | jq -r '.nodes[].node'")
    .action((options) => run(import("../commands/nodes.ts").then(async ({ nodes }) => nodes(options, await context()))));

  const node = program
    .command("node")
    .enablePositionalOptions()
    .description("show one node: its state, its GPUs and the jobs it holds")
    .argument("<id>", "the instance's id")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  fleet node i-0123456789abcdef0")
    .action((id: string, options) => run(import("../commands/nodes.ts").then(async ({ node }) => node(id, options, await context()))));

  addNodeOrders(node, session);
  addDeclareDead(node, session);

  program
    .command("pools")
    .description("list the pools, with their queues, nodes and limits")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  fleet pools")
    .action((options) => run(import("../commands/pools.ts").then(async ({ pools }) => pools(options, await context()))));

  program
    .command("problems")
    .description(
      "list items that cannot be read, messages that could not be handled, steps that keep failing, and work that waits for EC2's word",
    )
    .addOption(json())
    .addHelpText(
      "after",
      `
What an item that cannot be read stands for stays as it is, and nothing else stops: a node counts as full, a launch as open, a job as
waiting. An item may have been written by a later release, or damaged. Messages that could not be handled are dead letters: there is a
line per queue that has any, with what to do next. A step that fails, such as the end of an instance that somebody has protected, is tried
again with pauses that grow to eight minutes. The work of a silent node starts elsewhere only when EC2 says that the instance has ended, or
when an admin declares it dead. Exits with 1 if there are any problems. For admins.

Example:
  fleet problems`,
    )
    .action((options) => run(import("../commands/problems.ts").then(async ({ problems }) => problems(options, await context()))));

  program
    .command("redrive")
    .description("send messages that could not be handled back to their queues, or delete outdated ones")
    .argument("[queue]", "the queue for which they were meant, as fleet problems lists it (default: every queue to which that applies)")
    .option("--delete", "delete the letters of queues whose letters are outdated, instead of sending letters back")
    .option("--dry-run", "list the letters, and change nothing")
    .option("-y, --yes", "delete without asking")
    .addOption(json())
    .addHelpText(
      "after",
      `
Examples:
  fleet redrive --dry-run
  fleet redrive seal
  fleet redrive --delete --yes

Remove the cause first: messages that fail again return to the dead letters. Jobs, uploads, outboxes and datasets (jobs-TEAM, seal, outboxes, shards) are
worth sending back, and it is harmless if one is sent twice. Wakes, ticks and events (lane, later, tick, on-alarm, on-instance) are
outdated, because the tick has replaced them; they can only be deleted. To continue with letters that are left, run the command
again. For admins.`,
    )
    .action((queue: string | undefined, options: RedriveOptions) =>
      run(
        import("../commands/redrive.ts").then(async ({ redrive }) =>
          redrive(queue, options, { ...(await context()), confirm: confirmOnTerminal() }),
        ),
      ),
    );

  const pool = program
    .command("pool")
    // Only options before the name of a subcommand belong to `fleet pool` itself, because both have --json.
    .enablePositionalOptions()
    .description("show one pool: its policy, limits, spending, queue and launches")
    .argument("<name>")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  fleet pool gpu")
    .action((name: string, options) =>
      run(import("../commands/pools.ts").then(async (commands) => commands.pool(name, options, await context()))),
    );

  const resetStats = (name: string, options: { json?: boolean | undefined }) =>
    run(import("../commands/pools.ts").then(async (commands) => commands.resetStats(name, options, await context())));
  pool
    .command("reset-stats")
    .description("delete a pool's statistics about which engine packs best")
    .argument("<pool>")
    .addOption(json())
    .addHelpText(
      "after",
      "\nAfterwards the pool collects new statistics. Only the time until it finds a good packing changes. For admins.\n\nExample:\n  fleet pool reset-stats gpu",
    )
    .action(resetStats);
  addPoolOrders(pool, session);
  addPoolSettings(pool, session);
  addLimits(program, session);
  // The old name of reset-stats.
  program.command("forget", { hidden: true }).argument("<pool>").addOption(json()).action(resetStats);

  program
    .command("api")
    .description("show the address of the HTTP API, or make a signed call to it")
    .argument("[method]", "GET, POST, PUT or DELETE (default: GET)")
    .argument("[path]", "for example /v1/pools")
    .option("--body <json>", "the body to send")
    .addOption(json())
    .addHelpText(
      "after",
      `
Examples:
  fleet api
  fleet api GET /v1/pools
  fleet api /v1/teams/research/jobs?state=running | jq -r '.items[].job'

The API's lists are called "items", and its jobs have "job" and "attempt" where the JSON of fleet jobs has "id" and "attempts".
GET /v1/openapi.json describes every operation.`,
    )
    .action((first: string | undefined, second: string | undefined, options) =>
      run(
        import("../commands/api.ts").then(async ({ callApi, describeApi }) => {
          if (first === undefined) return describeApi(options, await context());
          const request = second === undefined ? { method: "GET", path: first } : { method: first, path: second };
          return callApi({ ...request, body: options.body }, await context());
        }),
      ),
    );

  program
    .command("decisions")
    .description("list the fleet's decisions, newest first")
    .addOption(poolOption())
    .addOption(limit(50))
    .addOption(cursor())
    .addOption(json())
    .addHelpText("after", "\nExamples:\n  fleet decisions\n  fleet decisions --pool gpu --limit 5")
    .action((options) => run(import("../commands/decisions.ts").then(async ({ decisions }) => decisions(options, await context()))));

  program
    .command("decision")
    .description("show one decision: what it saw, what it did, why, and the outcome")
    .argument("<id>", "its id, or an unambiguous beginning of it, as fleet decisions lists them")
    .addOption(poolOption())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  fleet decision 20260601-000000.000Z --pool gpu")
    .action((id: string, options) =>
      run(import("../commands/decisions.ts").then(async ({ decision }) => decision(id, options, await context()))),
    );
}
