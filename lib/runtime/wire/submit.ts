import { createDatasets } from "../../aws/table/datasets/datasets.ts";
import { createAdmissions } from "../../aws/table/jobs/admissions.ts";
import { createCatalogueStore } from "../../aws/table/pools/catalogue-store.ts";
import { createOverrides } from "../../aws/table/pools/overrides.ts";
import type { SubmitDeps } from "../../flows/submit-job.ts";
import type { Environment } from "../env.ts";
import type { FleetFile } from "../fleet-file.ts";
import { ringWiring } from "./ring.ts";
import { tableOf } from "./table.ts";

export function submitWiring(env: Pick<Environment<"submit-jobs">, "TABLE" | "LANE_QUEUE_URL">, fleet: FleetFile): SubmitDeps {
  const table = tableOf(env);
  return {
    ...ringWiring(env, table),
    admissions: createAdmissions(table),
    catalogues: createCatalogueStore(table),
    datasets: createDatasets(table),
    overrides: createOverrides(table),
    now: Date.now,
    fleet,
  };
}
