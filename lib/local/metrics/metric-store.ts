import { type Datum, type MetricRef, merged, type Statistics } from "./metric.ts";

/** The metrics of the local cloud, for as long as an alarm may look back. */
export type MetricStore = {
  put(data: readonly Datum[]): void;
  /** Returns statistics of the values from `fromMs` until before `toMs`, with a unit only of that unit. Undefined if there are none. */
  statistics(metric: MetricRef, over: { fromMs: number; toMs: number; unit?: string | undefined }): Statistics | undefined;
};

export function createMetricStore(options: { keepMs: number; now(): number }): MetricStore {
  const series = new Map<string, Datum[]>();
  return {
    put(data) {
      const oldestMs = options.now() - options.keepMs;
      for (const datum of data) {
        const key = keyOf(datum.metric);
        const kept = (series.get(key) ?? []).filter((each) => each.atMs >= oldestMs);
        kept.push(datum);
        series.set(key, kept);
      }
    },
    statistics(metric, { fromMs, toMs, unit }) {
      const found = (series.get(keyOf(metric)) ?? []).filter(
        (datum) => datum.atMs >= fromMs && datum.atMs < toMs && (unit === undefined || datum.unit === unit),
      );
      return found.length === 0 ? undefined : merged(found.map((datum) => datum.values));
    },
  };
}

const keyOf = ({ namespace, name, dimensions }: MetricRef): string =>
  JSON.stringify([namespace, name, Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1))]);
