import { type Alarm, type AlarmState, comparisons } from "./alarm.ts";

/** A period's value; undefined if the metric had none. */
export type Datapoint = { readonly atMs: number; readonly value: number } | undefined;

export type AlarmVerdict = {
  readonly state: AlarmState;
  /** The datapoints that were evaluated, newest first, as in CloudWatch's explanations. */
  readonly judged: readonly NonNullable<Datapoint>[];
  /** How many missing datapoints were evaluated in addition. */
  readonly filled: number;
};

/** CloudWatch fetches a few more datapoints than it evaluates, so that older ones can replace missing ones. */
const extraPeriods = 2;
export const periodsLookedAt = (alarm: Pick<Alarm, "evaluationPeriods">): number => alarm.evaluationPeriods + extraPeriods;

/**
 * Returns the state of an alarm after these datapoints, which are ordered oldest first. The newest existing datapoints count. Only if
 * there are too few of them are missing ones treated as the alarm defines. Follows the tables in CloudWatch's guide on missing data.
 */
export function evaluate(alarm: Alarm, datapoints: readonly Datapoint[], current: AlarmState): AlarmVerdict {
  const breaches = (datapoint: NonNullable<Datapoint>): boolean => comparisons[alarm.comparison].holds(datapoint.value, alarm.threshold);
  const judged = datapoints
    .filter((datapoint) => datapoint !== undefined)
    .toReversed()
    .slice(0, alarm.evaluationPeriods);
  const filled = alarm.evaluationPeriods - judged.length;
  const breaching = judged.filter(breaches).length;
  const verdict = (state: AlarmState): AlarmVerdict => ({ state, judged, filled });

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

/** Reports whether the oldest datapoint is at least `datapointsToAlarm` periods old. Called only if all existing datapoints breach. */
function isOldEnough(alarm: Alarm, datapoints: readonly Datapoint[]): boolean {
  const evaluated = datapoints.slice(-alarm.evaluationPeriods);
  const oldest = evaluated.findIndex((datapoint) => datapoint !== undefined);
  return oldest >= 0 && evaluated.length - oldest >= alarm.datapointsToAlarm;
}
