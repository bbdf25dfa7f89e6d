import type { Console } from "../terminal/console.ts";
import type { Connection } from "./connection.ts";

/** What every command gets: the connection to a deployment, the console, and the time. */
export type Context = { readonly connection: Connection; readonly console: Console; readonly nowMs: number };
