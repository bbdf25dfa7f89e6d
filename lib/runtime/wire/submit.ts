import { createAdmissions } from "../../aws/table/admissions.ts";
import { createCatalogueStore } from "../../aws/table/catalogue-store.ts";
import type { SubmitDeps } from "../../flows/submit-job.ts";
import type { Environment } from "../env.ts";
import type { FleetFile } from "../fleet-file.ts";
import { ringWiring } from "./ring.ts";
import { tableOf } from "./table.ts";

export function submitWiring(env: Environment<"submit-jobs">, fleet: FleetFile): SubmitDeps {
  const table = tableOf(env);
  return { ...ringWiring(env, table), admissions: createAdmissions(table), catalogues: createCatalogueStore(table), fleet };
}
