import { type Command, Option } from "commander";
import type { DeclareDeadOptions, OrderOptions } from "../commands/orders.ts";
import { confirmOnTerminal } from "./confirm.ts";
import { json, seconds, whole } from "./options.ts";
import type { Session } from "./session.ts";

const reason = (): Option => new Option("--reason <text>", "why, for the record and for those who wait");
const ifVersion = (): Option =>
  new Option("--if-version <n>", "only if nothing was changed since this version, which fleet pool --json shows").argParser((text) =>
    whole(text, 0, Number.MAX_SAFE_INTEGER),
  );

const deadline = (): Option =>
  new Option("--deadline <time>", "how long what runs may continue, such as 30m (default: the pool's drain time)").argParser(seconds);

/** Adds the commands with which admins pause, drain and resume a pool. */
export function addPoolOrders(pool: Command, { run, context }: Session): void {
  const add = (kind: "pause" | "drain" | "resume", description: string, help: string): Command =>
    pool
      .command(kind)
      .description(description)
      .argument("<pool>")
      .addOption(reason())
      .addOption(ifVersion())
      .addOption(json())
      .addHelpText("after", help)
      .action((name: string, options: OrderOptions & { readonly deadline?: number | undefined }) =>
        run(import("../commands/orders.ts").then(async ({ orderPool }) => orderPool(kind, { ...options, name }, await context()))),
      );
  add(
    "pause",
    "let a pool start nothing until it is resumed",
    `
A paused pool binds no job to a node and launches nothing. What runs, or is already bound to a node, goes on; drains and the end of idle
nodes go on, too. Each waiting job says who has paused its pool. For admins.

Example:
  fleet pool pause gpu --reason "new image"`,
  );
  add(
    "drain",
    "empty a pool and end its nodes",
    `
The pool starts nothing, as if it were paused. Idle nodes are ended at once. What still runs at the deadline is stopped and queued again,
without counting a failure, and waits in the pool. Until the deadline, the command can be repeated with another one. For admins.

Example:
  fleet pool drain gpu --deadline 30m --reason "new account"`,
  ).addOption(deadline());
  add(
    "resume",
    "let a pool that is paused or drained start jobs again",
    `
Nodes of a drained pool are kept if they still work and the deadline has not passed. The command names those that cannot be kept; what was
stopped starts again. Nodes that were drained by themselves stay drained. For admins.

Example:
  fleet pool resume gpu`,
  );
}

/** Adds the commands with which admins cordon, uncordon and drain a node. */
export function addNodeOrders(node: Command, { run, context }: Session): void {
  const add = (kind: "cordon" | "uncordon" | "drain", description: string, help: string): Command =>
    node
      .command(kind)
      .description(description)
      .argument("<id>", "the instance's id")
      .addOption(reason())
      .addOption(ifVersion())
      .addOption(json())
      .addHelpText("after", help)
      .action((id: string, options: OrderOptions & { readonly deadline?: number | undefined }) =>
        run(import("../commands/orders.ts").then(async ({ orderNode }) => orderNode(kind, { ...options, node: id }, await context()))),
      );
  add(
    "cordon",
    "let a node get nothing new",
    `
What runs on the node goes on. It is ended when it has been idle for the pool's idle time, as any node. For admins.

Example:
  fleet node cordon i-0123456789abcdef0 --reason "slow disk"`,
  );
  add(
    "uncordon",
    "let a node that was cordoned or drained get jobs again",
    `
A drain that has begun is dropped, if the node still works and its deadline has not passed. What was stopped already, such as jobs that had
not started, runs again elsewhere or here. If the node leaves for another reason, the command fails and names it. For admins.

Example:
  fleet node uncordon i-0123456789abcdef0`,
  );
  add(
    "drain",
    "empty a node and end it",
    `
The node gets nothing new. What still runs at the deadline is stopped and queued again, without counting a failure. The node is ended when it
is empty. Until the deadline, the command can be repeated with another one, and fleet node uncordon takes the order back. For admins.

Example:
  fleet node drain i-0123456789abcdef0 --deadline 30m`,
  ).addOption(deadline());
}

/** Adds the command with which an admin declares a node dead. */
export function addDeclareDead(node: Command, { run, context }: Session): void {
  node
    .command("declare-dead")
    .description("declare that nothing runs on a silent node any more, and start its work elsewhere")
    .argument("<id>", "the instance's id")
    .requiredOption("--reason <text>", "how you know that nothing runs there any more, for the record")
    .option("-y, --yes", "do not ask")
    .addOption(json())
    .addHelpText(
      "after",
      `
The work of a silent node starts elsewhere only when EC2 says that the instance has ended. If EC2 never says so, for example because the
instance is protected from termination or a region does not respond, and you know that nothing runs there, declare it with this command. If
you are wrong, a job runs twice at the same time: what the first run reports changes nothing, but what it does elsewhere cannot be undone.
EC2 is still asked to end the instance. Refused for a node whose worker has called within the last minutes. For admins.

Example:
  fleet node declare-dead i-0123456789abcdef0 --reason "AWS support: the host is lost, case 1234"`,
    )
    .action((id: string, options: DeclareDeadOptions) =>
      run(
        import("../commands/orders.ts").then(async ({ declareDead }) =>
          declareDead(id, options, { ...(await context()), confirm: confirmOnTerminal() }),
        ),
      ),
    );
}
