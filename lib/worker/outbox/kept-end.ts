import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { jsonOf } from "../../../events/json.ts";
import { Order } from "../../../events/node-call.ts";
import { type AttemptRef, attemptName } from "../../model/job.ts";
import type { AttemptLog, LogPosition } from "../logs/attempt-log.ts";
import { folderOf } from "../run/folders.ts";
import type { WorkerLog } from "../runtime/log.ts";
import { writeWhole } from "../runtime/whole-file.ts";

type RunOrder = Extract<Order, { kind: "run" }>;

const Waiting = z.object({
  number: z.int().min(0),
  last: z.boolean(),
  segment: z.object({ file: z.string(), sha256: z.string(), fileBytes: z.int(), bytes: z.int(), offset: z.int() }),
});

const Ended = z.discriminatedUnion("phase", [
  z.object({ phase: z.literal("exited"), startedAtMs: z.int(), exitCode: z.int(), reason: z.string().optional() }),
  z.object({ phase: z.literal("failed"), reason: z.string(), again: z.boolean() }),
]);

/**
 * How an attempt's program ended, and what a later process of the worker needs to deliver what it left. It is on the disk from the end of
 * the program until the attempt is removed, so that neither a restart of the worker nor one of the machine costs a result.
 */
const KeptEnd = z.object({
  version: z.literal(1),
  /** Without credentials, which expire, and without the job's variables, which may be secret. */
  order: Order,
  end: Ended,
  /** Whether its program ran, so that there may be files. */
  ran: z.boolean(),
  log: z.object({ bytes: z.int(), files: z.int(), next: z.int(), waiting: z.array(Waiting) }),
});
export type KeptEnd = Omit<z.infer<typeof KeptEnd>, "version" | "order" | "log"> & { readonly order: RunOrder; readonly log: LogPosition };

const fileOf = (root: string, ref: AttemptRef): string => join(folderOf(root, ref).root, "end.json");
const noCredentials = { accessKeyId: "", secretAccessKey: "", sessionToken: "", expiresAtMs: 0 };

/** Writes an end to the disk, whole or not at all, so that it is there after a power failure, too. Only the worker can read it. */
export async function keepEnd(root: string, { order, ...rest }: KeptEnd): Promise<void> {
  const bare: RunOrder = { ...order, credentials: noCredentials, spec: { ...order.spec, env: {} } };
  await writeWhole(fileOf(root, order), JSON.stringify({ version: 1, order: bare, ...rest }));
}

/** Returns the end of an attempt that an earlier process of the worker kept; undefined if there is none. Uploaded segments are left out. */
export async function keptEndOf(root: string, ref: AttemptRef): Promise<KeptEnd | undefined> {
  const read = KeptEnd.safeParse(jsonOf(await readFile(fileOf(root, ref), "utf8").catch(() => "")));
  if (!read.success || read.data.order.kind !== "run") return undefined;
  const { order, end, ran, log } = read.data;
  const isOfRef = order.team === ref.team && order.job === ref.job && order.attempt === ref.attempt;
  return isOfRef ? { order, end, ran, log } : undefined;
}

export type Keeping = {
  readonly order: RunOrder;
  /** What the program's end is reported as to the worker. */
  readonly end: { readonly kind: string };
  readonly ran: boolean;
  readonly logs: Pick<AttemptLog, "end">;
};

/** Keeps the end of an attempt's program, and how far its log is. It never throws: if the disk is full, a restart costs the result. */
export async function keepAttempt({ folder, log }: { folder: string; log: WorkerLog }, { order, end, ran, logs }: Keeping): Promise<void> {
  const { kind: phase, ...how } = end;
  const ended = Ended.safeParse({ phase, ...how });
  if (!ended.success) return;
  try {
    await keepEnd(folder, { order, end: ended.data, ran, log: await logs.end() });
  } catch (error) {
    log("error", "end of attempt not kept", { attempt: attemptName(order) }, error);
  }
}
