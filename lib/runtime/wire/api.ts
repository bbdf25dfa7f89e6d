import { randomUUID } from "node:crypto";
import { createApi } from "../../api/app.ts";
import { isAboutJobs } from "../../api/http/base-path.ts";
import type { ApiDeps } from "../../api/http/deps.ts";
import { sqsClient } from "../../aws/clients/sqs.ts";
import { sqsDeadLetters } from "../../aws/queues/dead-letters.ts";
import { createDatasets } from "../../aws/table/datasets/datasets.ts";
import { createAdmissions } from "../../aws/table/jobs/admissions.ts";
import { createCancellations } from "../../aws/table/jobs/cancellations.ts";
import { createJobLookup } from "../../aws/table/jobs/job-lookup.ts";
import { createJobReader } from "../../aws/table/jobs/job-reader.ts";
import { createSealing } from "../../aws/table/jobs/sealing.ts";
import { createNodeLedger } from "../../aws/table/nodes/node-ledger.ts";
import { createNodeReader } from "../../aws/table/nodes/node-reader.ts";
import { createPoolNodes } from "../../aws/table/nodes/pool-nodes.ts";
import { createCatalogueStore } from "../../aws/table/pools/catalogue-store.ts";
import { createDecisions } from "../../aws/table/pools/decisions.ts";
import { createOverrides } from "../../aws/table/pools/overrides.ts";
import type { Log } from "../../ports/log.ts";
import { type ApiCall, urlResponse } from "../api-call.ts";
import type { Environment } from "../env.ts";
import type { FleetFile } from "../fleet-file.ts";
import type { UrlResponse } from "../function-url.ts";
import { logTo } from "../logger.ts";
import type { Started } from "../start.ts";
import { once } from "./once.ts";
import { ringWiring } from "./ring.ts";
import { shardQueueOf } from "./shard-queue.ts";
import { tableOf } from "./table.ts";

/** Returns a function that handles calls of the API's URL. */
export function apiWiring({ env, fleet, region, logger }: Started<"api">): (call: ApiCall) => Promise<UrlResponse> {
  const deps = depsOf(env, { ...fleet, region }, logTo(logger));
  const apiOfJobs = once(async () => createApi(deps, (await import("../../api/operations/about-jobs.ts")).operationsOnJobs));
  const wholeApi = once(async () => createApi(deps, (await import("../../api/operations.ts")).allOperations));
  return async ({ request, ...signed }) => {
    const api = await (isAboutJobs(new URL(request.url).pathname) ? apiOfJobs() : wholeApi());
    return urlResponse(await api.fetch(request, signed));
  };
}

function depsOf(env: Environment<"api">, fleet: FleetFile & { readonly region: string }, log: Log): ApiDeps {
  const table = tableOf(env);
  const logs = once(async () => {
    const [{ cloudWatchLogPages }, { logsClient }] = await Promise.all([
      import("../../aws/logs/log-pages.ts"),
      import("../../aws/clients/logs.ts"),
    ]);
    return cloudWatchLogPages(logsClient(), env.LOG_GROUP_PREFIX);
  });
  const records = once(async () => {
    const [{ s3DecisionReader }, { s3Client }] = await Promise.all([
      import("../../aws/decisions/decision-reader.ts"),
      import("../../aws/clients/s3.ts"),
    ]);
    // Short, because the caller waits for the response.
    return s3DecisionReader(s3Client({ requestMs: 5_000, maxAttempts: 2 }), env.DECISIONS_BUCKET);
  });
  return {
    ...ringWiring(env, table),
    admissions: createAdmissions(table),
    attemptLogs: { page: async (attempt, from) => (await logs()).page(attempt, from) },
    cancellations: createCancellations(table),
    catalogues: createCatalogueStore(table),
    datasets: createDatasets(table),
    deadLetters: sqsDeadLetters(sqsClient(), fleet.name),
    decisionReader: {
      page: async (pool, from) => (await records()).page(pool, from),
      get: async (pool, id) => (await records()).get(pool, id),
    },
    decisions: createDecisions(table),
    jobLookup: createJobLookup(table),
    jobReader: createJobReader(table),
    nodeLedger: createNodeLedger(table),
    nodeReader: createNodeReader(table),
    overrides: createOverrides(table),
    poolNodes: createPoolNodes(table),
    sealing: createSealing(table),
    shardQueue: shardQueueOf(env),
    fleet,
    places: { datasetsBucket: env.DATASETS_BUCKET, dataBuckets: fleet.dataBuckets },
    datasetLimits: fleet.datasets,
    now: Date.now,
    newId: randomUUID,
    log,
  };
}
