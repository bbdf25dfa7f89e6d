import * as z from "zod";
import { DatasetName, JobId, PoolName, StoredSpec, TeamName } from "./job.ts";

/**
 * The one call a worker makes. It tells the whole state of its attempts each time and is told what to do next,
 * so that a lost call or a lost answer is mended by the next one. Who calls is read from the IAM identity, never from here.
 */
export const nodeProtocol = 1;

const Attempt = { team: TeamName, job: JobId, attempt: z.int().min(1) };

/**
 * The worker has files or a log of the attempt to upload still: the node keeps it, as `uploading`, until the worker reports
 * `uploaded` or `failed`, or the same end again without this: that means the same whether or not the end was on record. It begins to upload when an answer came to such a report, without an order to stop it and without `done`
 * for it: then its end is on record.
 */
const uploads = z.boolean().optional();

export const AttemptReport = z.discriminatedUnion("phase", [
  /** The program runs. */
  z.strictObject({ ...Attempt, phase: z.literal("running"), startedAtMs: z.int() }),
  /** The program ended; its CPU and GPUs are free. After code 0 the worker goes on to upload, even if `uploads` is absent. */
  z.strictObject({
    ...Attempt,
    phase: z.literal("exited"),
    startedAtMs: z.int(),
    exitCode: z.int(),
    reason: z.string().max(2000).optional(),
    uploads,
  }),
  /** All that the attempt left lies in the incoming bucket, the manifest too. `startedAtMs`: absent if its program never started. */
  z.strictObject({ ...Attempt, phase: z.literal("uploaded"), startedAtMs: z.int().optional() }),
  /** The attempt could not be run or uploaded. `again`: another try may succeed. */
  z.strictObject({ ...Attempt, phase: z.literal("failed"), reason: z.string().max(2000), again: z.boolean(), uploads }),
  /** Stopped because an order said so, or because its lease was about to end. */
  z.strictObject({ ...Attempt, phase: z.literal("stopped"), reason: z.string().max(2000), uploads }),
]);
export type AttemptReport = z.infer<typeof AttemptReport>;

/** What cannot be read is left out by the worker; nothing here is asked for. */
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
  /** From the boot script: where to fetch the worker. */
  z.strictObject({ protocol: z.literal(nodeProtocol), kind: z.literal("boot"), pool: PoolName }),
  z.strictObject({
    protocol: z.literal(nodeProtocol),
    kind: z.literal("report"),
    pool: PoolName,
    workerVersion: z.string().max(40),
    /** Names this run of the worker's process: a new one after each restart, which has lost what the last one ran. */
    process: z.string().min(1).max(64),
    attempts: z.array(AttemptReport).max(500),
    /** Attempts whose credentials end soon. */
    renew: z.array(z.strictObject(Attempt)).max(500),
    /** Its private IPv4 address. */
    address: z.ipv4().optional(),
    /** One sample of each GPU, at most a few seconds old. */
    gpus: z.array(Gpu).max(64).optional(),
    /** What the metadata service says of the instance's future. */
    notice: z.strictObject({ kind: z.enum(["interruption", "rebalance"]), atMs: z.int() }).optional(),
    /** Datasets that lie on it, checked. */
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
  /** Of the shard map. */
  version: z.int().min(1),
  /** The list of shards that this node shall have: a ShardList, in JSON. */
  list: z.object({ bucket: z.string(), key: z.string() }),
});

const Order = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("run"),
    ...Attempt,
    spec: StoredSpec,
    /** For exactly this team, job and attempt. */
    credentials: Credentials,
    /** Uploads go below `TEAM/JOB/ATTEMPT/` of this bucket, under this key. */
    upload: z.object({ bucket: z.string(), kmsKey: z.string() }),
    log: z.object({ group: z.string(), stream: z.string() }),
    /** For a member of a gang. */
    gang: z.object({ rank: z.int().min(0), size: z.int().min(2), master: z.object({ address: z.string(), port: z.int() }) }).optional(),
    /** What to fetch before the program starts. */
    datasets: z.array(DatasetOrder).optional(),
  }),
  z.object({ kind: z.literal("stop"), ...Attempt, because: z.string() }),
]);
export type Order = z.infer<typeof Order>;

export const NodeAnswer = z.discriminatedUnion("kind", [
  /** Fetch both and start the worker. URLs are presigned and short-lived. */
  z.object({ kind: z.literal("boot"), workerUrl: z.string(), nodeUrl: z.string() }),
  z.object({
    kind: z.literal("orders"),
    /** From the moment the call was sent: how long the attempts here are this node's own. */
    leaseMs: z.int(),
    callAgainMs: z.int(),
    orders: z.array(Order),
    /** Reports that are on record for good; forget these attempts. */
    done: z.array(z.object(Attempt)),
    renewed: z.array(z.object({ ...Attempt, credentials: Credentials })),
  }),
  /** This instance is not in the ledger yet; ask again. */
  z.object({ kind: z.literal("wait"), callAgainMs: z.int() }),
  /** This node is not wanted any more: stop everything and shut the instance down. */
  z.object({ kind: z.literal("shutdown"), because: z.string() }),
]);
export type NodeAnswer = z.infer<typeof NodeAnswer>;
