/** The identity of a metric in CloudWatch. The order of its dimensions does not matter. */
export type MetricRef = {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
};

/** Statistics of a set of values. */
export type Statistics = {
  readonly sum: number;
  readonly count: number;
  readonly minimum: number;
  readonly maximum: number;
  /** The values, and how often each occurred; undefined if only the statistics were published. Percentiles need them. */
  readonly samples?: readonly (readonly [value: number, count: number])[] | undefined;
};

/** Values of a metric at one moment. */
export type Datum = {
  readonly metric: MetricRef;
  readonly atMs: number;
  readonly unit?: string | undefined;
  readonly values: Statistics;
};

export const statisticsOf = (values: readonly number[]): Statistics => merged(values.map((value) => single(value)));

export const single = (value: number, count = 1): Statistics => ({
  sum: value * count,
  count,
  minimum: value,
  maximum: value,
  samples: [[value, count]],
});

/** Returns the statistics of all values together. There must be at least one set. */
export function merged(all: readonly Statistics[]): Statistics {
  const summary = all.reduce((a, b) => ({
    sum: a.sum + b.sum,
    count: a.count + b.count,
    minimum: Math.min(a.minimum, b.minimum),
    maximum: Math.max(a.maximum, b.maximum),
  }));
  const samples = all.every((each) => each.samples !== undefined) ? all.flatMap((each) => each.samples ?? []) : undefined;
  return { ...summary, samples };
}

export const statisticNames = ["Average", "Sum", "Minimum", "Maximum", "SampleCount"] as const;
export type StatisticName = (typeof statisticNames)[number];

/** "p99", "p99.9" */
export type Percentile = `p${number}`;
export const isPercentile = (text: string): text is Percentile => /^p(100|\d{1,2}(\.\d{1,10})?)$/.test(text);

/** Returns a statistic of values; undefined for a percentile of values that are not known, which CloudWatch does not calculate either. */
export function pick(values: Statistics, statistic: StatisticName | Percentile): number | undefined {
  if (isPercentile(statistic)) return percentile(values, Number(statistic.slice(1)));
  switch (statistic) {
    case "Average":
      return values.sum / values.count;
    case "Sum":
      return values.sum;
    case "Minimum":
      return values.minimum;
    case "Maximum":
      return values.maximum;
    case "SampleCount":
      return values.count;
  }
}

/** Returns the smallest value that at least so many percent of the values do not exceed. CloudWatch may return one between two values. */
function percentile({ samples, count }: Statistics, percent: number): number | undefined {
  let seen = 0;
  for (const [value, times] of samples?.toSorted(([a], [b]) => a - b) ?? []) {
    seen += times;
    if (100 * seen >= percent * count) return value;
  }
  return undefined;
}
