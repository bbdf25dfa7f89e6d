import * as z from "zod";
import { DatasetName, JobId, PoolName, StoredSpec, TeamName } from "../../../events/job.ts";
import { jobStates } from "../../model/job.ts";

/**
 * What the API answers. Times are ISO 8601 in UTC, units stand in the names, and what is not known or not there is left out.
 * A name that a caller may not see (another team's job) is left out, too.
 */
const Time = z.iso.datetime();
const Cursor = z.string().min(1).describe("Goes into the next call; absent on the last page");
const Count = z.int().min(0);

const jobFacts = {
  team: TeamName,
  job: JobId,
  pool: PoolName,
  state: z.enum(jobStates),
  attempt: z.int().min(1).describe("The run under way, or the next one"),
  failures: Count.describe("Runs that ended by the job's own fault"),
  submittedAt: Time,
  startedAt: Time.optional().describe("When the first program of its first run started"),
  endedAt: Time.optional(),
  node: z.string().optional().describe("The node that holds it, of a gang the first member's"),
  gang: z.array(z.string()).optional().describe("The nodes of a gang, by rank"),
  exitCode: z.int().optional(),
  reason: z.string().optional().describe("Why it is in this state"),
};

/** A job in a list: without what it asked for and what it left. */
export const JobSummary = z.object(jobFacts).meta({ id: "JobSummary" });
export type JobSummary = z.infer<typeof JobSummary>;

const Artifacts = z
  .object({
    files: Count,
    bytes: Count.describe("Of the plaintext, all files together"),
    leftOut: Count.describe("Entries that cannot be kept, such as sockets, or that are over a limit"),
    missing: z.array(z.string()).describe("Names of the job's artifacts that matched nothing; the first 20"),
    lost: Count.describe("Files that were uploaded and could not be sealed"),
  })
  .meta({ id: "Artifacts" });

export const Job = z
  .object({
    ...jobFacts,
    spec: StoredSpec.optional().describe("Absent for a message that could not be read"),
    artifacts: Artifacts.optional().describe("What was kept of the attempt that ended it; absent before"),
  })
  .meta({ id: "Job" });
export type Job = z.infer<typeof Job>;

/** Newest first. */
export const JobPage = z.object({ items: z.array(JobSummary), cursor: Cursor.optional() }).meta({ id: "JobPage" });
export type JobPage = z.infer<typeof JobPage>;

/** Whether jobs would be taken, in the order in which they were given. */
export const CheckedJobs = z
  .object({
    items: z.array(
      z.object({
        accepted: z.boolean(),
        pool: PoolName.optional().describe("Where it would go"),
        because: z.string().optional().describe("Why it would be refused"),
      }),
    ),
  })
  .meta({ id: "CheckedJobs" });
export type CheckedJobs = z.infer<typeof CheckedJobs>;

/** What became of jobs that were to be cancelled, in the order in which they were named. */
export const CancelledJobs = z
  .object({
    items: z.array(
      z.object({
        job: JobId,
        outcome: z
          .enum(["cancelled", "same", "ended", "spared", "unknown", "failed"])
          .describe(
            "same: it was cancelled before; ended: it had ended otherwise; spared: it is in a state that was not asked for; " +
              "unknown: there is no such job; failed: it could not be done just now, and trying again may do",
          ),
        state: z.enum(jobStates).optional().describe("Of a job that ended or was spared"),
        because: z.string().optional().describe("Why it failed"),
      }),
    ),
  })
  .meta({ id: "CancelledJobs" });
export type CancelledJobs = z.infer<typeof CancelledJobs>;
/** A piece of what an attempt wrote: a line, unless it says otherwise. */
export const LogLine = z
  .object({
    at: Time,
    text: z.string(),
    unfinished: z.literal(true).optional().describe("The line had no end yet"),
    continues: z.literal(true).optional().describe("Goes on with the line before, if that is unfinished"),
    rewrites: z.literal(true).optional().describe("Takes the place of the line before, if that is unfinished, as a progress bar does"),
  })
  .meta({ id: "LogLine" });
export type LogLine = z.infer<typeof LogLine>;

/** Lines of one attempt, oldest first, and how the job stands, so that a follower needs one call only. */
export const LogPage = z
  .object({
    attempt: z.int().min(1).describe("Whose lines these are"),
    state: z.enum(jobStates).describe("Of the job"),
    reason: z.string().optional().describe("Why the job is in this state"),
    latestAttempt: z.int().min(1).describe("Of the job"),
    members: z.int().min(1).describe("How many members write logs of their own: a gang's size, else 1"),
    lines: z.array(LogLine),
    cursor: z.string().optional().describe("Goes into the next call, also when nothing more is there yet; absent until the first line"),
    more: z.boolean().describe("Whether more lines are there already"),
  })
  .meta({ id: "LogPage" });
export type LogPage = z.infer<typeof LogPage>;

const Market = z.enum(["spot", "on-demand"]);
const NodeState = z.enum(["launching", "ready", "draining", "terminating", "gone"]);

const Sample = z.object({
  index: Count,
  model: z.string().optional(),
  utilizationPercent: z.number().optional(),
  memoryUsedMiB: z.number().optional(),
  memoryTotalMiB: z.number().optional(),
  powerWatts: z.number().optional(),
  temperatureC: z.number().optional(),
  eccUncorrected: z.number().optional(),
  throttled: z.array(z.string()).optional(),
});

const Held = z.object({
  team: TeamName,
  job: JobId.optional().describe("Absent where it is another team's"),
  attempt: z.int().min(1).optional().describe("Absent where it is another team's"),
  phase: z.enum(["placed", "running", "uploading"]),
  vcpus: z.number(),
  memoryGiB: z.number(),
  gpus: Count,
  rank: Count.optional().describe("Its place in its gang"),
});

export const Node = z
  .object({
    node: z.string().describe("The EC2 instance id"),
    pool: PoolName,
    state: NodeState,
    stateSince: Time,
    team: TeamName.optional().describe("The one team it serves; absent in a shared pool"),
    instanceType: z.string(),
    zone: z.string(),
    market: Market,
    usdPerHour: z.number(),
    vcpus: z.number(),
    memoryGiB: z.number(),
    gpus: Count,
    gpuModel: z.string().optional(),
    launchedAt: Time,
    readyAt: Time.optional(),
    lastSeenAt: Time.optional().describe("When its worker last called"),
    idleSince: Time.optional().describe("Absent while it holds anything"),
    notice: z
      .object({ kind: z.enum(["interruption", "rebalance"]), at: Time })
      .optional()
      .describe("EC2's word that it will not stay"),
    drain: z
      .object({ because: z.string(), until: Time })
      .optional()
      .describe("Why it is taken out of use, and until when what runs on it may go on"),
    assignments: z.array(Held),
    samples: z.array(Sample).optional().describe("One a GPU, as of its worker's last call"),
    datasets: z
      .array(z.object({ team: TeamName, dataset: DatasetName, version: Count, shards: Count, bytes: Count }))
      .describe("What it has fetched and checked, of datasets that the caller may see"),
  })
  .meta({ id: "Node" });
export type Node = z.infer<typeof Node>;

/** By pool, then by instance id. */
export const NodePage = z.object({ items: z.array(Node), cursor: Cursor.optional() }).meta({ id: "NodePage" });
export type NodePage = z.infer<typeof NodePage>;

const Reserved = z.object({ usdPerHour: z.number(), gpus: Count });

const OpenLaunch = z.object({
  launch: z.string(),
  team: TeamName.optional(),
  market: Market,
  instanceTypes: z.array(z.string()).describe("EC2 picks one of them"),
  nodes: z.int().min(1),
  reserved: Reserved,
  intendedAt: Time,
});

const Refusal = z.object({
  instanceType: z.string().optional(),
  zone: z.string().optional(),
  quota: z.string().optional().describe("Of a limit of the account, which stands against all types it counts"),
  market: Market,
  code: z.string(),
  at: Time.optional().describe("When EC2 last said so"),
  until: Time,
});

const Breaker = z.object({
  instanceType: z.string(),
  zone: z.string(),
  failures: Count.describe("Instances within the last hour that never became workers"),
  state: z.enum(["open", "half-open"]).describe("half-open: one launch may try"),
  restsUntil: Time,
});

export const Pool = z
  .object({
    pool: PoolName,
    families: z.array(z.string()),
    markets: z.array(Market),
    shared: z.boolean(),
    containers: z.boolean(),
    teams: z.array(TeamName).describe("That may use it; empty for all"),
    idleSeconds: z.number(),
    bootSeconds: z.number(),
    maxLifetimeSeconds: z.number().optional().describe("No node is used for longer after its launch"),
    drainSeconds: z.number().describe("How long what runs on a node may go on once it is drained"),
    consolidateSeconds: z
      .number()
      .optional()
      .describe("For how long nothing may have changed on a node before its work is moved to where others have room, if that pays"),
    limits: Reserved,
    reserved: Reserved,
    budgets: z.object({ usdPerDay: z.number().optional(), usdPerMonth: z.number().optional() }).optional(),
    spent: z
      .object({ usdToday: z.number(), usdThisMonth: z.number() })
      .describe("By nodes in the UTC day and month, those that live with it"),
    queue: z.object({ length: Count, oldestSubmittedAt: Time.optional() }),
    nodes: z.record(NodeState, Count).describe("How many, by state"),
    openLaunches: z.array(OpenLaunch),
    refusals: z
      .array(Refusal)
      .describe("What this pool could buy and EC2 turned down, in this pool or another; not asked for again before `until`"),
    breakers: z.array(Breaker).describe("Types in zones that do not boot with the image of the pool's launch template"),
    learned: z
      .array(z.object({ problems: z.string(), engine: z.string(), tries: z.number(), reward: z.number() }))
      .describe(
        "What packing new nodes has taught: by the sort of problems, how often an engine was given work, and what that earned in all",
      ),
    busy: z.boolean().describe("Whether it has jobs, nodes or open launches, as the last decision found it"),
    decisions: Count.describe("Begun since it was deployed"),
    pricesAt: Time.optional().describe("When prices were fetched"),
  })
  .meta({ id: "Pool" });
export type Pool = z.infer<typeof Pool>;

/** Over all pools; what is not limited has no limit here. */
const Standing = z.object({ limits: z.object({ usdPerHour: z.number().optional(), gpus: Count.optional() }), reserved: Reserved });

export const PoolList = z
  .object({
    items: z.array(Pool),
    deployment: Standing.optional().describe("What all pools together have reserved, and may"),
    teams: z
      .array(Standing.extend({ team: TeamName }))
      .optional()
      .describe("The same of each team's own nodes, of teams that the caller speaks for. Nodes of shared pools are no team's"),
  })
  .meta({ id: "PoolList" });
export type PoolList = z.infer<typeof PoolList>;

/** As the record has it: "bind", "launch", "retire" and so on; releases differ in them. */
const StepKind = z.string();

const decisionFacts = {
  decision: z.string().describe("Its id: YYYYMMDD-HHMMSS.mmmZ-…, in UTC"),
  pool: PoolName,
  at: Time,
  epoch: z.int().min(0),
  causes: z.array(z.string()).describe("Who rang the pool's bell since the decision before"),
  queued: Count.describe("Jobs that it found waiting"),
  nodes: Count.describe("Nodes that it found"),
  reserved: Reserved.describe("As it found it"),
  steps: z.record(StepKind, Count).describe("How many, by kind"),
  wakeAt: Time.optional().describe("When it wanted to look again, had nothing happened"),
  packing: z
    .object({
      engine: z.string().describe("Whose packing it is"),
      usdPerHour: z.number(),
      boundUsdPerHour: z.number().describe("No packing of the same jobs costs less; 0 where nothing is known"),
    })
    .optional()
    .describe("How the jobs that are to share new nodes were packed"),
};

export const DecisionSummary = z.object(decisionFacts).meta({ id: "DecisionSummary" });
export type DecisionSummary = z.infer<typeof DecisionSummary>;

/** Newest first. */
export const DecisionPage = z.object({ items: z.array(DecisionSummary), cursor: Cursor.optional() }).meta({ id: "DecisionPage" });
export type DecisionPage = z.infer<typeof DecisionPage>;

const DecisionStep = z.object({
  kind: StepKind,
  team: TeamName.optional(),
  job: JobId.optional().describe("Absent where the step is about none, or about another team's"),
  attempt: z.int().min(1).optional(),
  nodes: z.array(z.string()).describe("That it is about"),
  launch: z
    .object({ market: Market, instanceTypes: z.array(z.string()), nodes: z.int().min(1), reserved: Reserved, jobs: Count })
    .optional()
    .describe("What EC2 was asked for"),
  because: z.string().optional().describe("Absent where it is another team's"),
  outcome: z.string().optional().describe("What came of it; absent where it is another team's"),
});

export const Decision = z
  .object({
    ...decisionFacts,
    taken: z.array(DecisionStep).describe("The steps in the plan's order, a thousand at most"),
    leftOut: Count.describe("Steps beyond those"),
  })
  .meta({ id: "Decision" });
export type Decision = z.infer<typeof Decision>;

const datasetFacts = {
  team: TeamName,
  dataset: DatasetName,
  source: z.string().describe("s3://bucket/prefix/"),
  state: z.enum(["listing", "ready", "empty", "failed"]).describe("listing: nobody has looked yet; failed: the source could not be listed"),
  trouble: z.string().optional().describe("Why the source could not be listed at the last try"),
  addedAt: Time,
  listing: z
    .object({
      version: Count,
      shards: Count,
      bytes: Count,
      skipped: z
        .object({ objects: Count, examples: z.array(z.object({ key: z.string(), because: z.string() })).describe("The first 20") })
        .optional()
        .describe("Objects that jobs do not see, because they cannot be files or are archived; absent when there are none"),
    })
    .optional()
    .describe("What the source held when it last changed"),
  map: z
    .object({
      version: Count,
      listing: Count.describe("The version of what it deals out"),
      madeAt: Time,
      nodes: Count,
      moved: Count.describe("Shards that changed their holder with it"),
      movedBytes: Count,
    })
    .optional()
    .describe("Who holds what; absent until a node needed it"),
};

export const Dataset = z.object(datasetFacts).meta({ id: "Dataset" });
export type Dataset = z.infer<typeof Dataset>;

export const DatasetDetail = z
  .object({
    ...datasetFacts,
    holders: z.array(
      z.object({
        node: z.string(),
        share: z.enum(["whole", "part"]),
        shards: Count,
        bytes: Count,
        fetched: z
          .object({ version: Count, shards: Count, bytes: Count })
          .optional()
          .describe("What it has fetched and checked, by its own word"),
      }),
    ),
  })
  .meta({ id: "DatasetDetail" });
export type DatasetDetail = z.infer<typeof DatasetDetail>;

export const DatasetList = z.object({ items: z.array(Dataset) }).meta({ id: "DatasetList" });
export type DatasetList = z.infer<typeof DatasetList>;

export const Me = z
  .object({
    caller: z.string().describe("The ARN that signed the call"),
    admin: z.boolean(),
    team: TeamName.nullable().describe("The one team the caller speaks for; null for an admin, who speaks for all"),
    name: z.string().describe("Of the deployment"),
    teams: z.array(TeamName).describe("That the caller may speak for"),
    pools: z.array(PoolName).describe("That these may use"),
    defaultPool: PoolName,
  })
  .meta({ id: "Me" });
export type Me = z.infer<typeof Me>;

export const problemCodes = [
  "invalid",
  "cursor",
  "denied",
  "not-found",
  "method",
  "media-type",
  "too-large",
  "conflict",
  "rejected",
  "busy",
  "internal",
] as const;

/** RFC 9457. The type is always about:blank, for the status and `code` say what it is. */
export const Problem = z
  .object({
    type: z.literal("about:blank"),
    title: z.string().describe("Of the status"),
    status: z.int().min(400).max(599),
    code: z.enum(problemCodes),
    detail: z.string(),
    instance: z.string().describe("urn:uuid:… of this request, as the log has it"),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .describe("What is wrong with which field"),
    job: JobId.optional().describe("Under which a refused job is on record"),
  })
  .meta({ id: "Problem" });
export type Problem = z.infer<typeof Problem>;
