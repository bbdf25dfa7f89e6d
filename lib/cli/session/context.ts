import type { Console } from "../terminal/console.ts";
import type { Connection } from "./connection.ts";

/** What every command works with: the deployment that it speaks to, where it prints, and the time. */
export type Context = { readonly connection: Connection; readonly console: Console; readonly nowMs: number };
