import * as z from "zod";
import { DatasetName, JobId, PoolName, TeamName } from "../../../events/names.ts";
import { waitsForProof } from "../../decide/health/waits-for-proof.ts";
import { isSilent } from "../../model/heartbeat/heartbeat.ts";
import type { Assignment, Node } from "../../model/node.ts";
import type { NodeOrder } from "../../model/overrides/overrides.ts";
import { Count, Cursor, Market, Time } from "./fields.ts";
import { NodeOrderView, nodeOrderView } from "./overrides.ts";
import { maySpeakFor, type Speaker } from "./speaker.ts";
import { iso, isoIf } from "./times.ts";

export const NodeState = z.enum(["launching", "ready", "draining", "terminating", "gone"]);

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
  job: JobId.optional().describe("Omitted if the job is another team's"),
  attempt: z.int().min(1).optional().describe("Omitted if the job is another team's"),
  phase: z.enum(["placed", "running", "uploading"]),
  vcpus: z.number(),
  memoryGiB: z.number(),
  gpus: Count,
  rank: Count.optional().describe("The member's rank in its gang"),
});

export const NodeView = z
  .object({
    node: z.string().describe("The EC2 instance id"),
    pool: PoolName,
    state: NodeState,
    stateSince: Time,
    team: TeamName.optional().describe("The only team that the node serves; omitted in a shared pool"),
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
    lastSeenAt: Time.optional().describe("The last heartbeat of the node's worker. One is recorded each minute while it calls"),
    silent: z.literal(true).optional().describe("Set if the node works, but its last heartbeat is more than 150 seconds old"),
    idleSince: Time.optional().describe("Omitted while the node holds any attempt"),
    notice: z
      .object({ kind: z.enum(["interruption", "rebalance"]), at: Time })
      .optional()
      .describe("EC2's interruption warning or rebalance recommendation"),
    drain: z
      .object({ because: z.string(), until: Time })
      .optional()
      .describe("Why the node is drained, and until when its attempts may still run"),
    declaredDead: z
      .object({ by: z.string(), at: Time, reason: z.string() })
      .optional()
      .describe("Set if an admin has declared that nothing runs on the node any more"),
    waitsFor: z
      .string()
      .optional()
      .describe("Set if the node's work may still run and can start elsewhere only when EC2 says that it has ended"),
    override: NodeOrderView.optional().describe("What an admin has ordered about the node"),
    assignments: z.array(Held),
    samples: z.array(Sample).optional().describe("One sample per GPU, as of the worker's last call"),
    datasets: z
      .array(z.object({ team: TeamName, dataset: DatasetName, version: Count, shards: Count, bytes: Count }))
      .describe("The parts of datasets that the node has fetched and checked, if the caller may see them"),
  })
  .meta({ id: "Node" });
export type NodeView = z.infer<typeof NodeView>;

/** Nodes by pool, then by instance id. */
export const NodePage = z.object({ items: z.array(NodeView), cursor: Cursor.optional() }).meta({ id: "NodePage" });
export type NodePage = z.infer<typeof NodePage>;

/** Returns a node as a caller may see it. It shows that another team uses the node, but not with which jobs and data. */
export const nodeView = (node: Node, speaker: Speaker, { nowMs, order }: { nowMs: number; order?: NodeOrder | undefined }): NodeView => ({
  node: node.id,
  pool: node.pool,
  state: node.state,
  stateSince: iso(node.stateSinceMs),
  team: node.team,
  instanceType: node.offer.instanceType,
  zone: node.offer.zone,
  market: node.offer.market,
  usdPerHour: node.offer.usdPerHour,
  vcpus: node.type.resources.vcpus,
  memoryGiB: node.type.resources.memoryGiB,
  gpus: node.type.resources.gpus,
  gpuModel: node.type.gpu?.model,
  launchedAt: iso(node.launchedAtMs),
  readyAt: isoIf(node.readyAtMs),
  lastSeenAt: isoIf(node.lastSeenMs),
  ...(isSilent(node, nowMs) && { silent: true }),
  idleSince: isoIf(idleSince(node)),
  notice: node.notice && { kind: node.notice.kind, at: iso(node.notice.atMs) },
  drain: node.drain && { because: node.drain.because, until: iso(node.drain.untilMs) },
  declaredDead: node.declared && { by: node.declared.by, at: iso(node.declared.atMs), reason: node.declared.because },
  waitsFor: waitsForProof(node, nowMs)?.why,
  override: order && nodeOrderView(order),
  assignments: node.assignments.map((each) => held(each, speaker)),
  samples: node.gpus?.map(({ throttled, ...sample }) => ({ ...sample, throttled: throttled && [...throttled] })),
  datasets: (node.datasets ?? [])
    .filter(({ team }) => maySpeakFor(speaker, team))
    .map(({ team, dataset, version, shards, bytes }) => ({ team, dataset, version, shards, bytes })),
});

const idleSince = ({ state, assignments, lastBusyMs, readyAtMs }: Node): number | undefined =>
  state === "ready" && assignments.length === 0 ? Math.max(lastBusyMs, readyAtMs ?? 0) : undefined;

const held = ({ team, job, attempt, phase, needs, rank }: Assignment, speaker: Speaker): NodeView["assignments"][number] => ({
  team,
  ...(maySpeakFor(speaker, team) && { job, attempt }),
  phase,
  vcpus: needs.vcpus,
  memoryGiB: needs.memoryGiB,
  gpus: needs.gpus,
  rank,
});
