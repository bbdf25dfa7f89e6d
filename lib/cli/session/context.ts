import type { Console } from "../terminal/console.ts";
import type { Connection } from "./connection.ts";

/** The context of a command: the connection to a deployment, the console, and the time. */
export type Context = {
  readonly connection: Connection;
  readonly console: Console;
  readonly nowMs: number;
  /** Resolves after that many ms. */
  readonly pause: (ms: number) => Promise<unknown>;
};
