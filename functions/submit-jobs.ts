import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { submitJob } from "../lib/flows/submit-job.ts";
import { eachMessage } from "../lib/runtime/sqs.ts";
import { start } from "../lib/runtime/start.ts";
import { retriesOf } from "../lib/runtime/wire/retries.ts";
import { submitWiring } from "../lib/runtime/wire/submit.ts";

const { env, fleet, logger, metrics } = start("submit-jobs");
const deps = submitWiring(env, fleet);
const retries = retriesOf("jobs", { fleet, logger, metrics });

/** Turns messages on the teams' queues into jobs. */
const handleBatch = eachMessage(
  async (message) => {
    const team = message.queue.slice(env.JOBS_QUEUE_PREFIX.length);
    const { kind, job } = await submitJob(deps, { team, messageId: message.id, body: message.body, sentAtMs: message.sentAtMs });
    logger.info("job submitted", { kind, team, job: job.job, pool: job.pool, reason: job.reason });
    metrics.addMetric(kind === "rejected" ? "JobsRejected" : "JobsAccepted", MetricUnit.Count, kind === "same" ? 0 : 1);
  },
  (messageId, error) => logger.error("submitting failed", { messageId, error }),
);

export const handler = async (event: Parameters<typeof handleBatch>[0]) => {
  const response = await retries(event, await handleBatch(event));
  metrics.publishStoredMetrics();
  return response;
};
