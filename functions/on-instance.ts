import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { InstanceEvent } from "../events/instance.ts";
import { noteInstance } from "../lib/flows/note-instance.ts";
import { loggingErrors } from "../lib/runtime/logger.ts";
import { start } from "../lib/runtime/start.ts";
import { instanceWiring } from "../lib/runtime/wire/instance.ts";

const { env, logger, metrics } = start("on-instance");
const deps = instanceWiring(env);

/**
 * Handles EC2's events about instances. Events about instances of others, which may be most of the account's, and malformed
 * events are counted and acknowledged, because retrying would not help.
 */
export const handler = loggingErrors(logger, async (event: unknown): Promise<void> => {
  const change = InstanceEvent.safeParse(event);
  const outcome = change.success ? await noteInstance(deps, change.data) : undefined;
  if (!change.success) logger.error("unknown event dropped", { error: change.error });
  else logger.info("instance changed", { node: change.data.detail["instance-id"], event: change.data["detail-type"], outcome });
  metrics.addMetric("ForeignEvents", MetricUnit.Count, outcome === undefined || outcome === "not-ours" ? 1 : 0);
  metrics.publishStoredMetrics();
});
