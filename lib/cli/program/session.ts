import type { Command } from "commander";
import * as z from "zod";
import type { Context } from "../commands/job.ts";
import { terminal } from "../console.ts";
import { exitCodes } from "../exit.ts";

const Target = z.object({ name: z.string(), aws: z.boolean().default(false), local: z.boolean().default(false) });

/** How commands are run. */
export type Session = {
  /** Makes what the work answers the exit code. */
  run(work: Promise<number>): Promise<void>;
  /** The deployment that the program's options name. Commands are loaded when they run, and this too: help comes at once. */
  context(): Promise<Context>;
};

export const openSession = (program: Command): Session => ({
  async run(work) {
    process.exitCode = await work;
  },
  async context() {
    // Nothing here has to be put in order first; what a command waits for goes on without it.
    process.once("SIGINT", () => {
      terminal.progress(undefined);
      process.exit(exitCodes.interrupted);
    });
    const { connect } = await import("../connection.ts");
    return { connection: await connect(Target.parse(program.opts()), terminal), console: terminal, nowMs: Date.now() };
  },
});
