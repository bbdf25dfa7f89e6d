import { type Command, InvalidArgumentError, Option } from "commander";
import {
  leastSetSeconds,
  maxBudgetUsd,
  maxDeadlineSeconds,
  maxLimit,
  maxReasonLength,
  maxSetSeconds,
} from "../../model/overrides/bounds.ts";
import { maxMinNodes } from "../../model/pool.ts";
import { whenSpents } from "../../model/values/when-spent.ts";
import type { SetLimitsOptions, UnsetLimitsOptions } from "../commands/limits.ts";
import type { DeclareDeadOptions, OrderOptions, SetOptions, UnsetOptions } from "../commands/orders.ts";
import { confirmOnTerminal } from "./confirm.ts";
import { json, number, secondsWithin, whole } from "./options.ts";
import type { Session } from "./session.ts";

const reason = (): Option =>
  new Option("--reason <text>", "why, for the record and for those who wait").argParser((text) => {
    if (text === "" || text.length > maxReasonLength) throw new InvalidArgumentError(`expected 1 to ${maxReasonLength} characters`);
    return text;
  });
const versionShownBy = (command: string): Option =>
  new Option("--if-version <n>", `only if nothing was changed since this version, which ${command} --json shows`).argParser((text) =>
    whole(text, 0, Number.MAX_SAFE_INTEGER),
  );
const ifVersion = (): Option => versionShownBy("fleet pool");
const ifLimitsVersion = (): Option => versionShownBy("fleet limits");

const deadline = (): Option =>
  new Option("--deadline <time>", "how long what runs may continue, such as 30m (default: the pool's drain time)").argParser(
    secondsWithin(0, maxDeadlineSeconds),
  );

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

/** Adds the commands with which admins set limits and budgets of a pool. */
export function addPoolSettings(pool: Command, { run, context }: Session): void {
  pool
    .command("set")
    .description("set limits, budgets and the minimum of a pool instead of the configured ones")
    .argument("<pool>")
    .addOption(new Option("--limit-usd-per-hour <usd>", "the most that the pool may reserve, dollars per hour").argParser(amount(maxLimit)))
    .addOption(new Option("--limit-gpus <n>", "the most GPUs that the pool may reserve").argParser((text) => whole(text, 0, maxLimit)))
    .addOption(new Option("--budget-daily-usd <usd>", "what the pool's nodes may cost in a UTC day").argParser(amount(maxBudgetUsd)))
    .addOption(
      new Option("--budget-monthly-usd <usd>", "what the pool's nodes may cost in a calendar month (UTC)").argParser(amount(maxBudgetUsd)),
    )
    .addOption(
      new Option("--when-spent <what>", "what happens once a budget is used up: nothing more starts, or nodes are drained, too").choices(
        whenSpents,
      ),
    )
    .addOption(
      new Option("--min-nodes <n>", "how many nodes the pool keeps, with work or without").argParser((text) => whole(text, 0, maxMinNodes)),
    )
    .addOption(ofTeam())
    .addOption(new Option("--until <time>", "when the configured values apply again, such as 2026-06-01T12:00Z").conflicts("for"))
    .addOption(
      new Option("--for <time>", "the same as a time from now, such as 4h").argParser(secondsWithin(leastSetSeconds, maxSetSeconds)),
    )
    .addOption(reason())
    .addOption(ifVersion())
    .addOption(json())
    .addHelpText(
      "after",
      `
The values apply from the next decision on, also after a deployment. Without --until or --for, they apply until fleet pool unset. A value that
is not named stays as it is. Nodes that a pool keeps cost money all the time; fleet pool shows how much. Only a shared pool can keep nodes, and it
keeps none while it is paused or drained, or while a job waits for a limit or budget. If a limit or budget is lowered, what runs goes on, unless --when-spent drain applies. Limits of teams and of
the whole deployment hold all the same. fleet pool shows the values that apply, and the configured ones. For admins.

Examples:
  fleet pool set gpu --limit-usd-per-hour 80 --limit-gpus 32 --for 4h --reason "deadline of a paper"
  fleet pool set gpu --budget-daily-usd 50 --when-spent drain
  fleet pool set gpu --min-nodes 2 --for 8h --reason "working hours"
  fleet pool set gpu --team research --budget-daily-usd 20 --until 2026-07-01T00:00Z`,
    )
    .action((name: string, options: SetOptions) =>
      run(import("../commands/orders.ts").then(async ({ setPool }) => setPool(name, options, await context()))),
    );
  pool
    .command("unset")
    .description("let the configured limits, budgets and minimum of a pool apply again")
    .argument("<pool>")
    .argument("[what...]", "limit-usd-per-hour, limit-gpus, budget-daily-usd, budget-monthly-usd, when-spent or min-nodes (default: all)")
    .addOption(ofTeam())
    .addOption(reason())
    .addOption(ifVersion())
    .addOption(json())
    .addHelpText("after", "\nFor admins.\n\nExamples:\n  fleet pool unset gpu\n  fleet pool unset gpu limit-gpus budget-daily-usd")
    .action((name: string, what: readonly string[], options: UnsetOptions) =>
      run(import("../commands/orders.ts").then(async ({ unsetPool }) => unsetPool(name, { ...options, what }, await context()))),
    );
}

const ofTeam = (): Option => new Option("--team <team>", "the team whose budgets in the pool are meant (default: those of the pool)");

/** Returns a parser of dollars up to `most`. */
const amount =
  (most: number) =>
  (text: string): number => {
    const value = number(text);
    if (value < 0 || value > most) throw new InvalidArgumentError(`expected 0 to ${most} dollars`);
    return value;
  };

/** Adds the commands that show the limits across pools, and with which admins set them. */
export function addLimits(program: Command, { run, context }: Session): void {
  const commands = () => import("../commands/limits.ts");
  const limits = program
    .command("limits")
    // Only options before the name of a subcommand belong to `fleet limits` itself, because both have --json.
    .enablePositionalOptions()
    .description("show the limits of the whole deployment and of teams in all pools together, and what is reserved")
    .addOption(json())
    .addHelpText("after", "\nLimits that were set are shown with the configured ones.\n\nExample:\n  fleet limits")
    .action((options) => run(commands().then(async (each) => each.limits(options, await context()))));
  limits
    .command("set")
    .description("set limits across pools instead of the configured ones")
    .addOption(new Option("--usd-per-hour <usd>", "the most that may be reserved, dollars per hour").argParser(amount(maxLimit)))
    .addOption(new Option("--gpus <n>", "the most GPUs that may be reserved").argParser((text) => whole(text, 0, maxLimit)))
    .addOption(limitsOfTeam())
    .addOption(new Option("--until <time>", "when the configured values apply again, such as 2026-06-01T12:00Z").conflicts("for"))
    .addOption(
      new Option("--for <time>", "the same as a time from now, such as 4h").argParser(secondsWithin(leastSetSeconds, maxSetSeconds)),
    )
    .addOption(reason())
    .addOption(ifLimitsVersion())
    .addOption(json())
    .addHelpText(
      "after",
      `
The limits apply from the next decisions on, also after a deployment. Without --until or --for, they apply until fleet limits
unset. A limit that is not named stays as it is. If a limit is lowered, what runs goes on. Nodes of shared pools count towards no team. For admins.

Examples:
  fleet limits set --usd-per-hour 40 --for 8h --reason "a paper"
  fleet limits set --team vision --gpus 16`,
    )
    .action((options: SetLimitsOptions) => run(commands().then(async (each) => each.setLimits(options, await context()))));
  limits
    .command("unset")
    .description("let the configured limits across pools apply again")
    .argument("[what...]", "usd-per-hour or gpus (default: both)")
    .addOption(limitsOfTeam())
    .addOption(reason())
    .addOption(ifLimitsVersion())
    .addOption(json())
    .addHelpText("after", "\nFor admins.\n\nExamples:\n  fleet limits unset\n  fleet limits unset --team vision gpus")
    .action((what: readonly string[], options: UnsetLimitsOptions) =>
      run(commands().then(async (each) => each.unsetLimits({ ...options, what }, await context()))),
    );
}

const limitsOfTeam = (): Option =>
  new Option("--team <team>", "the team whose limits in all pools together are meant (default: those of the whole deployment)");

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
