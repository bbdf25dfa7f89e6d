import type { Assignment, Node as Known } from "../../model/node.ts";
import { maySpeakFor, type Speaker } from "./speaker.ts";
import { iso, isoIf } from "./times.ts";
import type { Node } from "./views.ts";

/** A node as a caller may see it: that another team is on it is no secret, with which job and data is. */
export const nodeView = (node: Known, speaker: Speaker): Node => ({
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
  idleSince: isoIf(idleSince(node)),
  notice: node.notice && { kind: node.notice.kind, at: iso(node.notice.atMs) },
  drain: node.drain && { because: node.drain.because, until: iso(node.drain.untilMs) },
  assignments: node.assignments.map((each) => held(each, speaker)),
  samples: node.gpus?.map(({ throttled, ...sample }) => ({ ...sample, throttled: throttled && [...throttled] })),
  datasets: (node.datasets ?? [])
    .filter(({ team }) => maySpeakFor(speaker, team))
    .map(({ team, dataset, version, shards, bytes }) => ({ team, dataset, version, shards, bytes })),
});

const idleSince = ({ state, assignments, lastBusyMs, readyAtMs }: Known): number | undefined =>
  state === "ready" && assignments.length === 0 ? Math.max(lastBusyMs, readyAtMs ?? 0) : undefined;

const held = ({ team, job, attempt, phase, needs, rank }: Assignment, speaker: Speaker): Node["assignments"][number] => ({
  team,
  ...(maySpeakFor(speaker, team) && { job, attempt }),
  phase,
  vcpus: needs.vcpus,
  memoryGiB: needs.memoryGiB,
  gpus: needs.gpus,
  rank,
});
