import { createNodeLedger } from "../../aws/table/nodes/node-ledger.ts";
import type { NoteDeps } from "../../flows/note-instance.ts";
import type { Environment } from "../env.ts";
import { ringWiring } from "./ring.ts";
import { tableOf } from "./table.ts";

export function instanceWiring(env: Environment<"on-instance">): NoteDeps {
  const table = tableOf(env);
  return { ...ringWiring(env, table), nodeLedger: createNodeLedger(table), now: Date.now };
}
