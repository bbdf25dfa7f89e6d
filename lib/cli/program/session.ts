import type { Command } from "commander";
import { exitCodes } from "../invocation/exit.ts";
import type { Target } from "../session/connection.ts";
import type { Context } from "../session/context.ts";
import type { Console } from "../terminal/console.ts";

/** What the program is started with. */
export type Start = {
  /** As `process.argv` has them: Node, the script, and what the user wrote. */
  readonly argv: readonly string[];
  readonly console: Console;
  /** Runs before a command speaks to a deployment. */
  readonly onConnect?: () => void;
};

/** How commands are run. */
export type Session = {
  readonly argv: readonly string[];
  readonly console: Console;
  /** Makes what the work answers the exit code. */
  run(work: Promise<number>): Promise<void>;
  /** 0 until a command has run. */
  exitCode(): number;
  /** The deployment that the program's options name. Commands are loaded when they run, and this too: help comes at once. */
  context(): Promise<Context>;
};

export function openSession(program: Command, { argv, console, onConnect }: Start): Session {
  let code: number = exitCodes.ok;
  return {
    argv,
    console,
    async run(work) {
      code = await work;
    },
    exitCode: () => code,
    async context() {
      onConnect?.();
      const { connect } = await import("../session/connection.ts");
      const { name, aws = false, local = false } = program.opts<Pick<Target, "name"> & Partial<Target>>();
      return { connection: await connect({ name, aws, local }, console), console, nowMs: Date.now() };
    },
  };
}
