import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import * as z from "zod";
import { checked, linesOf } from "../../../../events/checked.ts";
import { inWords } from "../../../model/errors/in-words.ts";
import { decoded } from "../../../model/files/decoded.ts";
import { fileWords } from "../../../model/files/file-words.ts";
import { FleetError } from "../../../model/fleet-error.ts";
import type { CapacitySchedule, Ec2Behaviour } from "./behaviour.ts";

const ms = z.number("must be a number of milliseconds").min(0, "must not be negative").max(86_400_000, "must be within a day");
const range = z
  .union(
    [ms.transform((both) => ({ min: both, max: both })), z.strictObject({ min: ms, max: ms })],
    'must be milliseconds, or {"min", "max"}',
  )
  .refine(({ min, max }) => min <= max, "min must not be above max");

export const RequestRate = z.strictObject({
  burst: z.int().min(1, "must be 1 or more, or no call could ever be made").describe("Calls at once"),
  perSecond: z.number().positive("must be above 0").describe("Calls for each second after that"),
});

const count = z.int().min(0, "must not be negative");
export const CapacityScript = z
  .array(z.tuple([ms, count], "must be [milliseconds from the start, how many]"))
  .min(1, "must have at least one moment")
  .refine((moments) => moments.every(([atMs], n) => n === 0 || atMs > (moments[n - 1]?.[0] ?? 0)), "moments must be in order of time");
const Planned = z.union(
  [
    count,
    z.strictObject({ script: CapacityScript }),
    z.strictObject({ trace: z.string().min(1), gapMs: ms.min(1, "must be 1 or more").optional() }),
  ],
  'must be a number, {"script": [[ms, count], …]} or {"trace": "FILE", "gapMs": …}',
);

/** A pattern that matches the name of an offer, or with `*` the names of several. */
export const OfferPattern = z
  .string()
  .regex(/^[^/]+\/[^/]+\/(spot|on-demand|\*)$/, 'must look like "g5.xlarge/us-east-1a/spot", with * for any type, zone or market');

/** A record that also reports what is wrong with a key. */
const named = <T>(key: z.ZodType<string>, value: z.ZodType<T>) =>
  z.record(z.string(), value).superRefine((all, context) => {
    for (const name of Object.keys(all)) {
      for (const { message } of key.safeParse(name).error?.issues ?? []) context.addIssue({ code: "custom", path: [name], message });
    }
  });
const Action = z.string().regex(/^(\*|[A-Z][A-Za-z]+)$/, 'must be an action of EC2\'s, such as "CreateFleet", or "*"');

const BehaviourFile = z.strictObject({
  pendingMs: ms.optional(),
  bootMs: range.optional(),
  bootTimeoutMs: ms.optional(),
  restartMs: ms.optional(),
  describeLagMs: range.optional(),
  eventDelayMs: range.optional(),
  answerMs: range.optional(),
  interruptionNoticeMs: ms.optional(),
  shutdownMs: ms.optional(),
  capacity: named(OfferPattern, Planned).optional(),
  requests: named(Action, RequestRate).optional(),
  seed: z.int().optional(),
});

/** A spot trace in SkyPilot's format: the number of available instances, one number per gap. */
const SpotTrace = z.object({
  metadata: z.object({ gap_seconds: z.number().positive() }),
  data: z.array(z.number().min(0)).min(1),
});

/**
 * Reads from a JSON file how the local cloud's EC2 should behave. Traces that it names are in the same folder. Throws a FleetError that
 * lists everything that is wrong, and where.
 */
export async function readBehaviour(file: string): Promise<Partial<Ec2Behaviour>> {
  const { capacity = {}, ...given } = await readJson(file, BehaviourFile);
  const plans = await Promise.all(
    Object.entries(capacity).map(async ([pattern, plan]) => [pattern, await planOf(plan, dirname(resolve(file)))] as const),
  );
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...present, ...(plans.length > 0 ? { capacity: Object.fromEntries(plans) } : {}) };
}

async function planOf(plan: z.output<typeof Planned>, folder: string): Promise<CapacitySchedule> {
  if (typeof plan === "number") return plan;
  if ("script" in plan) return plan.script;
  const { metadata, data } = await readJson(resolve(folder, plan.trace), SpotTrace);
  const gapMs = plan.gapMs ?? metadata.gap_seconds * 1000;
  const counts = data.map(Math.floor);
  return counts.flatMap((count, n) => (n > 0 && counts[n - 1] === count ? [] : [[n * gapMs, count] as const]));
}

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new FleetError("ec2-behaviour", `${file} cannot be read: ${fileWords(error) ?? inWords(error)}`, { cause: error });
  });
  let value: unknown;
  try {
    value = JSON.parse(decoded(bytes));
  } catch (error) {
    throw new FleetError("ec2-behaviour", `${file} is not JSON: ${inWords(error)}`, { cause: error });
  }
  const read = checked(schema, value);
  if (read.kind === "wrong") throw new FleetError("ec2-behaviour", `${file} cannot be used:${linesOf(read.wrong)}`);
  return read.value;
}
