import type { FunctionLine } from "../lambda/functions.ts";
import { type Datum, single } from "../metrics/metric.ts";
import { emfData } from "./emf.ts";

/** What a line of a function's log means in metrics: those that it printed, and AWS/Lambda's own when an invocation ended. */
export function functionData(line: FunctionLine): readonly Datum[] {
  if ("printed" in line) return emfData(line["printed"]);
  if (!("failed" in line) && !("returned" in line)) return [];
  const datum = (name: string, unit: string, value: number): Datum => ({
    metric: { namespace: "AWS/Lambda", name, dimensions: { FunctionName: line.function } },
    atMs: Date.parse(line.time),
    unit,
    values: single(value),
  });
  const took = line["durationMs"];
  return [
    datum("Invocations", "Count", 1),
    datum("Errors", "Count", "failed" in line ? 1 : 0),
    ...(typeof took === "number" ? [datum("Duration", "Milliseconds", took)] : []),
  ];
}
