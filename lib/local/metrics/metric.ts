/** The identity of a metric in CloudWatch. The order of its dimensions does not matter. */
export type MetricRef = {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
};

/** Statistics of a set of values. */
export type Statistics = { readonly sum: number; readonly count: number; readonly minimum: number; readonly maximum: number };

/** Values of a metric at one moment. */
export type Datum = {
  readonly metric: MetricRef;
  readonly atMs: number;
  readonly unit?: string | undefined;
  readonly values: Statistics;
};

export const statisticsOf = (values: readonly number[]): Statistics => values.map((value) => single(value)).reduce(together);

export const single = (value: number, count = 1): Statistics => ({ sum: value * count, count, minimum: value, maximum: value });

export const together = (a: Statistics, b: Statistics): Statistics => ({
  sum: a.sum + b.sum,
  count: a.count + b.count,
  minimum: Math.min(a.minimum, b.minimum),
  maximum: Math.max(a.maximum, b.maximum),
});

export const statisticNames = ["Average", "Sum", "Minimum", "Maximum", "SampleCount"] as const;
export type StatisticName = (typeof statisticNames)[number];

export function pick(values: Statistics, statistic: StatisticName): number {
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
