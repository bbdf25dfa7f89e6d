import { join } from "node:path";
import { Argument, type Command } from "commander";
import { callerFolder } from "../invocation/caller-folder.ts";
import { inCheckout } from "../invocation/checkout.ts";
import { packageRoot } from "../invocation/folders.ts";
import { usualPort } from "../invocation/free-port.ts";
import { pathFrom } from "../invocation/invocation.ts";
import { json, whole } from "./options.ts";
import type { Session } from "./session.ts";

export function addLocal(program: Command, { run, context, console }: Session): void {
  program
    .command("local")
    .description("run the whole product on this machine, without an AWS account, until Ctrl-C")
    .option("--port <port>", `the port of 127.0.0.1 to listen on (default: ${usualPort}, or a free port if that is taken)`, (text) =>
      whole(text, 1, 65_535),
    )
    .option("--ec2 <file>", "how its EC2 behaves: capacity over time, request rates and delays, as JSON; see the example below")
    .option("--explain-access", "print which statement of which policy allows or refuses calls, each new reason once")
    .addOption(json())
    .addHelpText(
      "after",
      `\nEvery call is judged by the policies of the stack, as on AWS. What was judged is in access.jsonl in the folder of the run.

Examples:\n  fleet local\n  fleet local --port 4600\n  fleet local --explain-access\n  fleet local --ec2 ${pathFrom(callerFolder(process.env, process.cwd()), join(packageRoot, "lib", "local", "ec2", "sample.json"))}`,
    )
    .action((options) =>
      run(
        inCheckout("local")
          .then(() => import("../commands/local.ts"))
          .then(({ local }) => local(options, console)),
      ),
    );

  program
    .command("interrupt")
    .description("make the local cloud take a spot instance back, after an interruption notice")
    .argument("<node>", "the instance's id")
    .addOption(json())
    .addHelpText(
      "after",
      "\nExample:\n  fleet interrupt i-0123456789abcdef0\n\nOn AWS, use AWS FIS: aws:ec2:send-spot-instance-interruptions.",
    )
    .action((node: string, options) =>
      run(import("../commands/interrupt.ts").then(async ({ interrupt }) => interrupt(node, options, await context()))),
    );

  program
    .command("demo")
    .description("run a demonstration on this machine: jobs in, artifacts out, and back to zero instances")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  fleet demo --json | tail -1")
    .action((options) =>
      run(
        inCheckout("demo")
          .then(() => import("../commands/demo.ts"))
          .then(({ demo }) => demo(options, console)),
      ),
    );
}

export function addUse(program: Command, { run, console }: Session): void {
  program
    .command("use")
    .description("choose where commands go: to the local cloud or to AWS; without a target, show where and why")
    .addArgument(new Argument("[target]", "where commands go from now on").choices(["local", "aws"]))
    .addOption(json())
    .addHelpText(
      "after",
      `
The choice is stored for this user. FLEETWRIGHT_TARGET=local|aws overrides it in one shell, and --local or --aws in one command.
Without any of them, commands go to the local cloud that runs, or to AWS if none ever ran. After a local cloud has ended, they fail.

Examples:
  fleet use
  fleet use aws`,
    )
    .action((target: "local" | "aws" | undefined, options) =>
      run(import("../commands/use.ts").then(({ use }) => use(target, options, console))),
    );
}
