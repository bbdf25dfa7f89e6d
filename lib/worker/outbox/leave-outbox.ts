import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { AttemptReport, Order } from "../../../events/node-call.ts";
import { withCauses } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { attemptName } from "../../model/job.ts";
import type { Collected } from "../artifacts/artifacts.ts";
import type { AttemptLog } from "../logs/attempt-log.ts";
import { folderOf } from "../run/folders.ts";
import type { Clock } from "../runtime/clock.ts";
import type { WorkerLog } from "../runtime/log.ts";
import { type Tries, tryAgain } from "../runtime/retry.ts";
import { type OutboxContent, type OutboxOrder, sealOutbox } from "./seal-outbox.ts";

/** The machine on which the attempt ran. */
export type LeavingMachine = {
  readonly folder: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: WorkerLog;
  /** What leaves outboxes on S3: the client with the instance's own credentials, and the id of this run of the worker. */
  readonly outboxes: { readonly s3: S3Client; readonly process: string };
};

export type Leaving = {
  readonly order: Extract<Order, { kind: "run" }>;
  readonly report: AttemptReport;
  /** Returns the files that it keeps. Undefined if it keeps none, or if they are uploaded. */
  readonly collect: (() => Promise<Collected>) | undefined;
  readonly logs: Pick<AttemptLog, "end">;
};

/** `whole`: nothing is left if something does not fit. It is tried until the signal is aborted. */
export type LeaveHow = { readonly signal: AbortSignal; readonly whole: boolean };

/** Leaves an attempt's outbox on S3. Returns whether S3 then holds all of it. It never throws. */
export async function leaveAttempt(machine: LeavingMachine, { order, report, collect, logs }: Leaving, how: LeaveHow): Promise<boolean> {
  const { team, job, attempt, gang, outbox } = order;
  const { clock, random, log, outboxes, folder } = machine;
  const name = attemptName(order);
  try {
    if (outbox === undefined) throw new FleetError("outbox", "the order named no outbox");
    const { waiting: segments } = await logs.end();
    const of = { attempt: { team, job, attempt }, process: outboxes.process, report, rank: gang?.rank ?? 0 };
    const content = { ...of, segments, collected: await collect?.() };
    const { isLeft, isWhole } = await leaveOutbox(
      outboxes.s3,
      { content, order: outbox, folder: folderOf(folder, order).root, whole: how.whole },
      { clock, random, signal: how.signal },
    );
    if (isLeft) log("info", "outbox left", { attempt: name });
    else log("info", "outbox too large", { attempt: name });
    return isLeft && isWhole;
  } catch (error) {
    log("error", "outbox not left", { attempt: name }, error);
    return false;
  }
}

const MiB = 1024 ** 2;
const partsAtOnce = 4;

/**
 * Leaves an attempt's outbox on S3, with the instance's own credentials. `folder` holds the sealed outbox meanwhile. It is tried until the
 * signal is aborted. `isWhole`: nothing was too large for it. Throws a FleetError if it could not be left.
 */
export async function leaveOutbox(
  s3: S3Client,
  of: { readonly content: OutboxContent; readonly order: OutboxOrder; readonly folder: string; readonly whole?: boolean },
  tries: Omit<Tries, "most">,
): Promise<{ readonly isLeft: boolean; readonly isWhole: boolean }> {
  const { content, order, whole = false } = of;
  const file = join(of.folder, "outbox.sealed");
  try {
    const { isWhole } = await sealOutbox(content, { order, file, signal: tries.signal });
    if (whole && !isWhole) return { isLeft: false, isWhole };
    await tryAgain({ ...tries, most: Number.POSITIVE_INFINITY }, () => put(s3, { order, file, signal: tries.signal }));
    return { isLeft: true, isWhole };
  } finally {
    await rm(file, { force: true });
  }
}

async function put(
  s3: S3Client,
  { order, file, signal }: { readonly order: OutboxOrder; readonly file: string; readonly signal: AbortSignal },
): Promise<void> {
  const upload = new Upload({
    client: s3,
    params: { Bucket: order.bucket, Key: order.key, Body: createReadStream(file, { highWaterMark: MiB }) },
    queueSize: partsAtOnce,
    partSize: 8 * MiB,
    // An instance may not abort an upload. The bucket's lifecycle removes parts after a day.
    leavePartsOnError: true,
  });
  const abort = (): void => void upload.abort().catch(() => undefined);
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) throw new Error("there is no time left");
    await upload.done();
  } catch (cause) {
    throw new FleetError("outbox", `the outbox could not be left: ${withCauses(cause)}`, { retry: true, cause });
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
