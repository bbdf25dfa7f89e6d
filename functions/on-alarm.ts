import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { AlarmStateChange } from "../events/alarm.ts";
import { noteAlarm } from "../lib/flows/note-alarm.ts";
import { loggingErrors } from "../lib/runtime/logger.ts";
import { start } from "../lib/runtime/start.ts";
import { alarmWiring } from "../lib/runtime/wire/alarm.ts";

const { env, fleet, logger, metrics } = start("on-alarm");
const deps = alarmWiring(env, fleet);

/** Handles CloudWatch's alarm state changes. Foreign events are counted and acknowledged, because retrying would not help. */
export const handler = loggingErrors(logger, async (event: unknown): Promise<void> => {
  const change = AlarmStateChange.safeParse(event);
  const noted = change.success ? await noteAlarm(deps, change.data) : undefined;
  if (!change.success) logger.error("unknown event dropped", { error: change.error });
  else logger.info("alarm changed", { alarm: change.data.detail.alarmName, state: change.data.detail.state.value, ...noted });
  metrics.addMetric("ForeignEvents", MetricUnit.Count, noted === undefined || noted.kind === "not-ours" ? 1 : 0);
  metrics.publishStoredMetrics();
});
