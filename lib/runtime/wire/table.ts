import { documentClient } from "../../aws/clients/document-client.ts";
import type { TableAccess } from "../../aws/table/access.ts";

/** The table, for a function that names it in its environment. */
export const tableOf = (env: { readonly TABLE: string }): TableAccess => ({
  client: documentClient(),
  table: env.TABLE,
});
