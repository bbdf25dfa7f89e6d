import { gunzipSync } from "node:zlib";
import * as z from "zod";
import { type Datum, merged, single, statisticsOf } from "../metrics/metric.ts";
import type { HttpCall } from "../requests/http.ts";
import { treeOf } from "../requests/query-protocol.ts";

/** Lists are plain arrays in JSON. In a form, they are under `member`. */
const list = <T extends z.ZodType>(item: T) => z.preprocess((given) => (isMembers(given) ? given.member : given), z.array(item));
const isMembers = (given: unknown): given is { member: unknown } => typeof given === "object" && given !== null && "member" in given;

const number = z.coerce.number();
const Input = z.object({
  Namespace: z.string().min(1),
  MetricData: list(
    z.object({
      MetricName: z.string().min(1),
      Dimensions: list(z.object({ Name: z.string(), Value: z.string() })).default([]),
      /** Seconds since the epoch in JSON, a date in a form. */
      Timestamp: z
        .union([z.number().transform((seconds) => seconds * 1000), z.iso.datetime({ offset: true }).transform(Date.parse)])
        .optional(),
      Unit: z.string().optional(),
      Value: number.optional(),
      Values: list(number).optional(),
      Counts: list(number).optional(),
      StatisticValues: z.object({ Sum: number, SampleCount: number, Minimum: number, Maximum: number }).optional(),
    }),
  ),
});
type Given = z.infer<typeof Input>["MetricData"][number];

/**
 * Returns the metrics that a call puts into CloudWatch, or undefined if the call is another action. Reads the form and the JSON
 * protocol. Throws if the call cannot be read: for example, if it is in CBOR, which the newest SDKs use.
 */
export function putMetricData(call: HttpCall, nowMs: number): readonly Datum[] | undefined {
  const body = call.headers["content-encoding"] === "gzip" ? gunzipSync(call.body) : call.body;
  const target = call.headers["x-amz-target"];
  if (call.path.includes("/operation/")) {
    if (!call.path.endsWith("/PutMetricData")) return undefined;
    throw new Error("The local cloud cannot read PutMetricData in CBOR");
  }
  if (target !== undefined) return target.endsWith(".PutMetricData") ? read(JSON.parse(body.toString("utf8")), nowMs) : undefined;
  const form = new URLSearchParams(body.toString("utf8"));
  return form.get("Action") === "PutMetricData" ? read(treeOf(form), nowMs) : undefined;
}

const read = (given: unknown, nowMs: number): readonly Datum[] => {
  const { Namespace, MetricData } = Input.parse(given);
  return MetricData.flatMap((datum) => {
    const values = valuesOf(datum);
    if (!values) return [];
    const dimensions = Object.fromEntries(datum.Dimensions.map(({ Name, Value }) => [Name, Value]));
    return [
      { metric: { namespace: Namespace, name: datum.MetricName, dimensions }, atMs: datum.Timestamp ?? nowMs, unit: datum.Unit, values },
    ];
  });
};

function valuesOf({ Value, Values, Counts, StatisticValues: given }: Given) {
  if (given) return { sum: given.Sum, count: given.SampleCount, minimum: given.Minimum, maximum: given.Maximum };
  if (Values && Values.length > 0) return merged(Values.map((value, i) => single(value, Counts?.[i])));
  return Value === undefined ? undefined : statisticsOf([Value]);
}
