import * as z from "zod";
import { type Datum, statisticsOf } from "../metrics/metric.ts";

const Directive = z.object({
  Namespace: z.string().min(1),
  /** Each set of dimensions makes a separate metric. The empty set makes a metric without dimensions. */
  Dimensions: z.array(z.array(z.string()).max(30)).default([[]]),
  Metrics: z.array(z.object({ Name: z.string().min(1), Unit: z.string().optional(), StorageResolution: z.number().optional() })).max(100),
});

const Line = z.looseObject({
  _aws: z.looseObject({ Timestamp: z.number(), CloudWatchMetrics: z.array(Directive) }),
});

const Value = z.union([z.number().transform((value) => [value]), z.array(z.number()).min(1).max(100)]);

/**
 * Returns the metrics in a line that a function printed in CloudWatch's embedded metric format, and none for any other line.
 * Like CloudWatch, it omits metrics whose value is not a number, and sets with a dimension that is not a string.
 */
export function emfData(printed: unknown): readonly Datum[] {
  const { data: line } = Line.safeParse(printed);
  if (!line) return [];
  return line._aws.CloudWatchMetrics.flatMap((directive) =>
    directive.Metrics.flatMap(({ Name, Unit }) => {
      const { data: values } = Value.safeParse(line[Name]);
      if (!values) return [];
      return directive.Dimensions.flatMap((names) => {
        const dimensions = dimensionsOf(line, names);
        if (!dimensions) return [];
        const metric = { namespace: directive.Namespace, name: Name, dimensions };
        return [{ metric, atMs: line._aws.Timestamp, unit: Unit, values: statisticsOf(values) }];
      });
    }),
  );
}

function dimensionsOf(line: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, string> | undefined {
  const dimensions: Record<string, string> = {};
  for (const name of names) {
    const value = line[name];
    if (typeof value !== "string") return undefined;
    dimensions[name] = value;
  }
  return dimensions;
}
