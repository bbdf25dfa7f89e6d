import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import { exitCodes } from "../invocation/exit.ts";
import type { Target } from "../session/connection.ts";
import type { Context } from "../session/context.ts";
import type { Console } from "../terminal/console.ts";

/** How the program was started. */
export type Start = {
  /** As in `process.argv`: Node, the script, and the user's arguments. */
  readonly argv: readonly string[];
  readonly console: Console;
  /** Runs before a command connects to a deployment. */
  readonly onConnect?: () => void;
};

/** The services that commands use. */
export type Session = {
  readonly argv: readonly string[];
  readonly console: Console;
  /** Awaits a command and keeps the exit code that it returns. */
  run(work: Promise<number>): Promise<void>;
  /** Returns the exit code of the command that ran, or 0 if none has run. */
  exitCode(): number;
  /** Connects to the deployment that the program's options name. Its code is loaded when it is first called, so that help starts fast. */
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
      return { connection: await connect({ name, aws, local }, console), console, nowMs: Date.now(), pause };
    },
  };
}
