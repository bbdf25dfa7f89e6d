import * as z from "zod";
import { maxSequence, maxSession } from "../lib/model/heartbeat/heartbeat.ts";
import { DatasetName, JobId, PoolName, TeamName } from "./names.ts";
import { StoredSpec } from "./stored-spec.ts";

/**
 * The only call that a worker makes. Each call reports the complete state of the worker's attempts, and the response says what to do next,
 * so that the next call makes up for a lost call or response. The caller's identity is read from IAM, never from the message.
 */
export const nodeProtocol = 1;

const Attempt = { team: TeamName, job: JobId, attempt: z.int().min(1) };

/**
 * True if the worker still has files or a log of the attempt to upload. The node keeps the attempt, as `uploading`, until the worker reports
 * `uploaded` or `failed`, or the same end again without this field or with false, whether or not the end is recorded by then. False if it has
 * uploaded files before the end could be reported, so that they must be sealed. Undefined if the attempt left nothing.
 * The worker must begin to upload only after a response to such a report that has neither an order to stop the attempt nor the attempt in
 * `done` or `unrecorded`, because then its end is recorded.
 */
const uploads = z.boolean().optional();

export const AttemptReport = z.discriminatedUnion("phase", [
  /** The program is running. */
  z.strictObject({ ...Attempt, phase: z.literal("running"), startedAtMs: z.int() }),
  /** The program has ended; its CPU and GPUs are free. After code 0 the worker goes on to upload even if `uploads` is undefined. */
  z.strictObject({
    ...Attempt,
    phase: z.literal("exited"),
    startedAtMs: z.int(),
    exitCode: z.int(),
    reason: z.string().max(2000).optional(),
    uploads,
  }),
  /** All files of the attempt, and its manifest, are in the incoming bucket. `startedAtMs` is undefined if its program never started. */
  z.strictObject({ ...Attempt, phase: z.literal("uploaded"), startedAtMs: z.int().optional() }),
  /** The attempt could not be run or uploaded. `again`: whether another attempt may succeed. */
  z.strictObject({ ...Attempt, phase: z.literal("failed"), reason: z.string().max(2000), again: z.boolean(), uploads }),
  /** The worker stopped the attempt because of an order, or because its lease was about to end. */
  z.strictObject({ ...Attempt, phase: z.literal("stopped"), reason: z.string().max(2000), uploads }),
]);
export type AttemptReport = z.infer<typeof AttemptReport>;

/** A sample of one GPU. Only `index` is required, because the worker leaves out what it cannot read. */
const Gpu = z.strictObject({
  index: z.int().min(0),
  model: z.string().max(100).optional(),
  utilizationPercent: z.number().min(0).max(100).optional(),
  memoryUsedMiB: z.number().min(0).optional(),
  memoryTotalMiB: z.number().min(0).optional(),
  powerWatts: z.number().min(0).optional(),
  temperatureC: z.number().optional(),
  eccUncorrected: z.number().min(0).optional(),
  throttled: z.array(z.string().max(60)).max(20).optional(),
});

const Fetched = z.strictObject({
  team: TeamName,
  dataset: DatasetName,
  version: z.int().min(1),
  shards: z.int().min(0),
  bytes: z.int().min(0),
});

export const NodeCall = z.discriminatedUnion("kind", [
  /** A call of the boot script, which asks where to download the worker. */
  z.strictObject({ protocol: z.literal(nodeProtocol), kind: z.literal("boot"), pool: PoolName }),
  /** The tick's call, which shows whether workers' calls are handled. */
  z.strictObject({ protocol: z.literal(nodeProtocol), kind: z.literal("canary") }),
  /** The first call of each process of a worker: it asks for a session, which ends those of earlier processes. */
  z.strictObject({ protocol: z.literal(nodeProtocol), kind: z.literal("begin"), pool: PoolName }),
  z.strictObject({
    protocol: z.literal(nodeProtocol),
    kind: z.literal("report"),
    pool: PoolName,
    workerVersion: z.string().max(40),
    /** The process's session, and the number of this call in it, from 1. An earlier call changes nothing that a later one has written. */
    session: z.int().min(1).max(maxSession),
    sequence: z.int().min(1).max(maxSequence),
    /** The id of this run of the worker's process. It is new after each restart, because a restarted worker has lost its attempts. */
    process: z.string().min(1).max(64),
    attempts: z.array(AttemptReport).max(500),
    /** Attempts whose credentials expire soon. */
    renew: z.array(z.strictObject(Attempt)).max(500),
    /** The instance's private IPv4 address. */
    address: z.ipv4().optional(),
    /** One sample per GPU, at most a few seconds old. */
    gpus: z.array(Gpu).max(64).optional(),
    /** EC2's notice that it may take the instance back, as the instance metadata service reports it. */
    notice: z.strictObject({ kind: z.enum(["interruption", "rebalance"]), atMs: z.int() }).optional(),
    /** The datasets that the instance holds, verified. */
    datasets: z.array(Fetched).max(200).optional(),
  }),
]);
export type NodeCall = z.infer<typeof NodeCall>;

export const Credentials = z.object({
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  sessionToken: z.string(),
  expiresAtMs: z.int(),
});
export type Credentials = z.infer<typeof Credentials>;

const DatasetOrder = z.object({
  name: z.string(),
  /** The version of the shard map. */
  version: z.int().min(1),
  /** Where the list of shards is that this node must hold: a ShardList. */
  list: z.object({ bucket: z.string(), key: z.string() }),
});

export const Order = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("run"),
    ...Attempt,
    spec: StoredSpec,
    /** Credentials for exactly this team, job and attempt. */
    credentials: Credentials,
    /** Uploads go below `TEAM/JOB/ATTEMPT/` in this bucket, encrypted under this KMS key. */
    upload: z.object({ bucket: z.string(), kmsKey: z.string() }),
    /** Where the live log goes, and what it may contain. */
    log: z.object({
      group: z.string(),
      stream: z.string(),
      limits: z.object({ burstBytes: z.int(), bytesPerSecond: z.int(), totalBytes: z.int() }).optional(),
    }),
    /** Set for a member of a gang. */
    gang: z.object({ rank: z.int().min(0), size: z.int().min(2), master: z.object({ address: z.string(), port: z.int() }) }).optional(),
    /**
     * Where the worker leaves how the attempt ended and what it left, with the instance's own credentials, if its node ends while its
     * calls get no response. Undefined if there was no data key. The data key must reach neither a log nor the program. Both keys are base64.
     */
    outbox: z.object({ bucket: z.string(), key: z.string(), dataKey: z.string(), wrappedKey: z.string() }).optional(),
    /** The datasets that must be fetched before the program starts. */
    datasets: z.array(DatasetOrder).optional(),
  }),
  z.object({ kind: z.literal("stop"), ...Attempt, because: z.string() }),
]);
export type Order = z.infer<typeof Order>;

export const NodeResponse = z.discriminatedUnion("kind", [
  /** The boot script must download both and start the worker. The URLs are presigned and short-lived. */
  z.object({ kind: z.literal("boot"), workerUrl: z.string(), nodeUrl: z.string() }),
  z.object({
    kind: z.literal("orders"),
    /** How long a worker with work goes on if no later call gets a response, counted from the moment when it sent this one. */
    islandMs: z.int(),
    /** After how long the worker should call again. */
    callAgainMs: z.int(),
    orders: z.array(Order),
    /** Attempts whose reports are recorded for good. The worker should forget them. */
    done: z.array(z.object(Attempt)),
    renewed: z.array(z.object({ ...Attempt, credentials: Credentials })),
    /** Attempts whose reports could not be recorded. The worker must act as if it had not reported them. */
    unrecorded: z.array(z.object(Attempt)),
  }),
  /** The instance is not in the ledger yet, or a later call was faster. The worker should call again. */
  z.object({ kind: z.literal("wait"), callAgainMs: z.int() }),
  /** The function runs, and can read the table. */
  z.object({ kind: z.literal("canary") }),
  /** The process's session. */
  z.object({ kind: z.literal("session"), session: z.int() }),
  /** Another process has begun a session, or the begin call of an earlier one was late. The process must begin a session again. */
  z.object({ kind: z.literal("no-session") }),
  /** The node is no longer needed. The worker must stop everything and shut the instance down. */
  z.object({ kind: z.literal("shutdown"), because: z.string() }),
]);
export type NodeResponse = z.infer<typeof NodeResponse>;
