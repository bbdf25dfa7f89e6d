import { type Alarm, type AlarmState, comparisons } from "./alarm.ts";

/** One period's value; undefined where the metric had none. */
export type Datapoint = { readonly atMs: number; readonly value: number } | undefined;

export type Verdict = {
  readonly state: AlarmState;
  /** The datapoints that were judged, newest first, as in CloudWatch's own words. */
  readonly judged: readonly NonNullable<Datapoint>[];
  /** How many missing ones were judged beside them. */
  readonly filled: number;
};

/** CloudWatch fetches a few datapoints more than it evaluates, so that older ones can stand in for missing ones. */
const extraPeriods = 2;
export const periodsLookedAt = (alarm: Pick<Alarm, "evaluationPeriods">): number => alarm.evaluationPeriods + extraPeriods;

/**
 * The state that these datapoints, the oldest first, put an alarm in: the newest that are there count, and only where
 * these are too few are missing ones treated as the alarm says. Follows the tables in CloudWatch's guide on missing data.
 */
export function evaluate(alarm: Alarm, datapoints: readonly Datapoint[], current: AlarmState): Verdict {
  const breaches = (datapoint: NonNullable<Datapoint>): boolean => comparisons[alarm.comparison].holds(datapoint.value, alarm.threshold);
  const judged = datapoints
    .filter((datapoint) => datapoint !== undefined)
    .toReversed()
    .slice(0, alarm.evaluationPeriods);
  const filled = alarm.evaluationPeriods - judged.length;
  const breaching = judged.filter(breaches).length;
  const verdict = (state: AlarmState): Verdict => ({ state, judged, filled });

  if (breaching >= alarm.datapointsToAlarm) return verdict("ALARM");
  if (filled === 0) return verdict("OK");
  switch (alarm.missing) {
    case "breaching":
      return verdict(breaching + filled >= alarm.datapointsToAlarm ? "ALARM" : "OK");
    case "notBreaching":
      return verdict("OK");
    case "ignore":
      return verdict(judged.length > breaching ? "OK" : current);
    case "missing":
      if (judged.length === 0) return verdict("INSUFFICIENT_DATA");
      if (judged.length > breaching) return verdict("OK");
      return verdict(isOldEnough(alarm, datapoints) ? "ALARM" : current);
  }
}

/** Everything there is breaches; it is enough when the first of it lies as far back as an alarm needs datapoints. */
function isOldEnough(alarm: Alarm, datapoints: readonly Datapoint[]): boolean {
  const evaluated = datapoints.slice(-alarm.evaluationPeriods);
  const oldest = evaluated.findIndex((datapoint) => datapoint !== undefined);
  return oldest >= 0 && evaluated.length - oldest >= alarm.datapointsToAlarm;
}
