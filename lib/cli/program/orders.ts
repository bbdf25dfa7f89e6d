import { type Command, Option } from "commander";
import type { OrderOptions } from "../commands/orders.ts";
import { json, seconds, whole } from "./options.ts";
import type { Session } from "./session.ts";

const reason = (): Option => new Option("--reason <text>", "why, for the record and for those who wait");
const ifVersion = (): Option =>
  new Option("--if-version <n>", "only if nothing was changed since this version, which fleet pool --json shows").argParser((text) =>
    whole(text, 0, Number.MAX_SAFE_INTEGER),
  );

/** Adds the commands with which admins pause and resume a pool. */
export function addPoolOrders(pool: Command, { run, context }: Session): void {
  const add = (kind: "pause" | "resume", description: string, help: string): void => {
    pool
      .command(kind)
      .description(description)
      .argument("<pool>")
      .addOption(reason())
      .addOption(ifVersion())
      .addOption(json())
      .addHelpText("after", help)
      .action((name: string, options: OrderOptions) =>
        run(import("../commands/orders.ts").then(async ({ orderPool }) => orderPool(kind, { ...options, name }, await context()))),
      );
  };
  add(
    "pause",
    "let a pool start nothing until it is resumed",
    `
A paused pool binds no job to a node and launches nothing. What runs, or is already bound to a node, goes on; drains and the end of idle
nodes go on, too. Each waiting job says who has paused its pool. For admins.

Example:
  fleet pool pause gpu --reason "new image"`,
  );
  add("resume", "let a paused pool start jobs again", "\nFor admins.\n\nExample:\n  fleet pool resume gpu");
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
  add("uncordon", "let a cordoned node get jobs again", "\nFor admins.\n\nExample:\n  fleet node uncordon i-0123456789abcdef0");
  add(
    "drain",
    "empty a node and end it",
    `
The node gets nothing new. What still runs at the deadline is stopped and queued again, without counting a failure. The node is ended when it
is empty. This cannot be undone. For admins.

Example:
  fleet node drain i-0123456789abcdef0 --deadline 30m`,
  ).addOption(
    new Option("--deadline <time>", "how long what runs may continue, such as 30m (default: the pool's drain time)").argParser(seconds),
  );
}
