import type { NodeCall } from "../../../events/node-call.ts";
import { throttleReasons } from "./throttle.ts";

/** One reading of one GPU. A value that is not known is undefined. */
export type GpuReading = NonNullable<Extract<NodeCall, { kind: "report" }>["gpus"]>[number];

/** The columns that are requested from `nvidia-smi --query-gpu`, in this order. */
export const gpuFields = [
  "index",
  "name",
  "utilization.gpu",
  "memory.used",
  "memory.total",
  "power.draw",
  "temperature.gpu",
  "ecc.errors.uncorrected.volatile.total",
  "clocks_event_reasons.active",
] as const;

/** Drivers before 535 know the last column only by this name. */
const olderNames: Readonly<Record<string, string>> = { "clocks_event_reasons.active": "clocks_throttle_reasons.active" };

/**
 * Returns the columns to request next if this driver's `nvidia-smi` refused one of them: with its older name if it has one, otherwise
 * without it. Returns undefined if no column was refused, or if the refused column is needed. `nvidia-smi` refuses one column at a time.
 */
export function withoutRefused(fields: readonly string[], output: string): readonly string[] | undefined {
  const refused = /Field "([^"]+)" is not a valid field to query/.exec(output)?.[1];
  if (refused === undefined || refused === "index" || !fields.includes(refused)) return undefined;
  const older = olderNames[refused];
  return fields.flatMap((field) => (field === refused ? (older === undefined ? [] : [older]) : [field]));
}

/** The server refuses a whole report if a single value is out of its range. */
const most = { gpus: 64, modelLength: 100 };

/**
 * Reads the output of `--format=csv,noheader,nounits`: one line per GPU, with "[N/A]", "[Not Supported]" and so on for unknown values.
 * With MIG a GPU's utilization is unknown and its memory is that of all its instances. Lines of any other form, such as a warning or
 * that of a lost GPU, are ignored, and so are additional columns.
 */
export function parseGpus(text: string, fields: readonly string[]): GpuReading[] {
  const samples = new Map<number, GpuReading>();
  for (const line of text.split("\n")) {
    const cells = line.split(",").map((cell) => cell.trim());
    if (cells.length < fields.length) continue;
    const sample = sampleOf(new Map(fields.map((field, column) => [field, cells[column] ?? ""])));
    if (sample !== undefined && !samples.has(sample.index) && samples.size < most.gpus) samples.set(sample.index, sample);
  }
  return [...samples.values()];
}

function sampleOf(cells: ReadonlyMap<string, string>): GpuReading | undefined {
  const cell = (field: string): string => cells.get(field) ?? "";
  const index = /^\d{1,4}$/.test(cell("index")) ? Number(cell("index")) : undefined;
  if (index === undefined) return undefined;
  return {
    index,
    ...known("model", /^\[|^(N\/A)?$/.test(cell("name")) ? undefined : cell("name").slice(0, most.modelLength)),
    ...known("utilizationPercent", number(cell("utilization.gpu"), { from: 0, to: 100 })),
    ...known("memoryUsedMiB", number(cell("memory.used"), { from: 0 })),
    ...known("memoryTotalMiB", number(cell("memory.total"), { from: 0 })),
    ...known("powerWatts", number(cell("power.draw"), { from: 0 })),
    ...known("temperatureC", number(cell("temperature.gpu"), {})),
    ...known("eccUncorrected", number(cell("ecc.errors.uncorrected.volatile.total"), { from: 0 })),
    ...known("throttled", throttleReasons(cell("clocks_event_reasons.active") || cell("clocks_throttle_reasons.active"))),
  };
}

/** Returns an object with the field, or an empty object if the value is undefined. */
const known = <K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } => {
  const field: { [P in K]?: V } = {};
  if (value !== undefined) field[name] = value;
  return field;
};

/** Reads a number, with or without its unit because some drivers ignore `nounits`. Returns undefined if there is none in the range. */
function number(cell: string, range: { readonly from?: number; readonly to?: number }): number | undefined {
  const digits = /^(-?\d{1,12}(?:\.\d{1,6})?)(?: ?(?:%|MiB|W|C))?$/.exec(cell)?.[1];
  if (digits === undefined) return undefined;
  const value = Number(digits);
  return value >= (range.from ?? -Infinity) && value <= (range.to ?? Infinity) ? value : undefined;
}
