import { documentClient } from "../../aws/clients/document-client.ts";
import type { TableAccess } from "../../aws/table/access.ts";

/** Returns access to the table that a function's environment names. */
export const tableOf = (env: { readonly TABLE: string }): TableAccess => ({
  client: documentClient(),
  table: env.TABLE,
});
