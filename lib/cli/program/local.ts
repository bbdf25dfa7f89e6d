import { join } from "node:path";
import { Argument, type Command } from "commander";
import { askedFrom } from "../invocation/asked-from.ts";
import { inCheckout } from "../invocation/checkout.ts";
import { packageRoot } from "../invocation/folders.ts";
import { usualPort } from "../invocation/free-port.ts";
import { pathFrom } from "../invocation/invocation.ts";
import { json, whole } from "./asked.ts";
import type { Session } from "./session.ts";

export function addLocal(program: Command, { run, context, console }: Session): void {
  program
    .command("local")
    .description("run the whole of it on this machine, without an account, until Ctrl-C")
    .option("--port <port>", `where to listen on 127.0.0.1 (default: ${usualPort}, or a free one when that is taken)`, (text) =>
      whole(text, 1, 65_535),
    )
    .option("--ec2 <file>", "how its EC2 behaves: capacity over time, request rates, delays (JSON; the example below is one)")
    .addOption(json())
    .addHelpText(
      "after",
      `\nExamples:\n  fleet local\n  fleet local --port 4600\n  fleet local --ec2 ${pathFrom(askedFrom(process.env, process.cwd()), join(packageRoot, "lib", "local", "ec2", "sample.json"))}`,
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
    .description("let the local cloud take a spot instance back, with its notice")
    .argument("<node>", "the instance's id")
    .addOption(json())
    .addHelpText(
      "after",
      "\nExample:\n  fleet interrupt i-0123456789abcdef0\n\nOn AWS, AWS FIS does it: aws:ec2:send-spot-instance-interruptions.",
    )
    .action((node: string, options) =>
      run(import("../commands/interrupt.ts").then(async ({ interrupt }) => interrupt(node, options, await context()))),
    );

  program
    .command("demo")
    .description("show the main job on this machine: a few jobs in, artifacts out, and back to zero")
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
    .description("say where commands go from now on: to the local cloud or to AWS; alone, show where, and why")
    .addArgument(new Argument("[target]", "where to").choices(["local", "aws"]))
    .addOption(json())
    .addHelpText(
      "after",
      `
It is remembered for this user. FLEETWRIGHT_TARGET=local|aws goes before it in one shell, and --local or --aws in one command.
Without any of them commands speak to the local cloud that runs, and to AWS if none ever ran; when one has ended, they fail.

Examples:
  fleet use
  fleet use aws`,
    )
    .action((target: "local" | "aws" | undefined, options) =>
      run(import("../commands/use.ts").then(({ use }) => use(target, options, console))),
    );
}
