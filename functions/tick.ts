import { Tick } from "../events/tick.ts";
import { type TickDeps, tick } from "../lib/flows/tick.ts";
import { deadJobsMetric } from "../lib/model/alarm.ts";
import { FleetError } from "../lib/model/fleet-error.ts";
import { publishFleetCount } from "../lib/runtime/fleet-metrics.ts";
import { loggingErrors } from "../lib/runtime/logger.ts";
import { publishPoolNumbers } from "../lib/runtime/pool-metrics.ts";
import { start } from "../lib/runtime/start.ts";
import { tickWiring } from "../lib/runtime/wire/tick.ts";

const started = start("tick");
const { fleet, logger } = started;
const deps: TickDeps = {
  ...tickWiring(started),
  publish: (pool, numbers) => {
    publishPoolNumbers({ fleet: fleet.name, pool }, numbers);
    // A line per pool, because queries of the log, such as those of the dashboard, cannot read a list of pools. It has what no metric has.
    logger.info("pool counted", { pool, ...numbers });
  },
  publishDeadJobs: (count) => publishFleetCount(fleet.name, deadJobsMetric, count),
};

/** Items that cannot be read are named each minute, but not more than this many. The metric counts all of them. */
const maxNamed = 20;

/** Runs once a minute. If a part fails, the invocation fails, too, to report it, and the next tick tries the part again. */
export const handler = loggingErrors(logger, async (event: unknown): Promise<void> => {
  Tick.parse(event);
  const { errors, unreadable, numbers: _logged, ...ticked } = await tick(deps);
  const failed = errors.map(({ part }) => part);
  logger.info("ticked", { ...ticked, failed });
  for (const item of unreadable.slice(0, maxNamed)) logger.error("item cannot be read", { ...item });
  for (const { part, error } of errors) logger.error("part of the tick failed", { part, error });
  if (failed.length > 0) throw new FleetError("tick", `these parts of the tick failed: ${failed.join(", ")}`, { retry: true });
});
