import type { Ports } from "../../ports/ports.ts";
import type { FaultKind } from "./faults.ts";

/** The ports that handlers of the simulation call: all, except those that only people's requests and the logs of attempts need. */
export type SimPorts = Omit<Ports, "attemptLogs" | "canary" | "deadLetters" | "decisionReader" | "jobLookup" | "jobReader" | "segments">;

/** What may happen to a call: it fails before it is carried out, or it is carried out and its response is lost. */
export type CallFaults = { readonly fails: FaultKind; readonly loses?: FaultKind };

const table: CallFaults = { fails: "table.throttle", loses: "table.lost-answer" };
const queue: CallFaults = { fails: "sqs.unavailable" };
const objects: CallFaults = { fails: "s3.trouble" };

/** The faults of each port's calls; undefined for ports that have faults of their own, such as EC2's, or none. */
export const callFaults: Readonly<Record<keyof SimPorts, CallFaults | undefined>> = {
  access: undefined,
  admissions: table,
  artifacts: objects,
  bell: table,
  budget: table,
  cancellations: table,
  capacity: table,
  catalogues: table,
  datasets: table,
  decisions: table,
  downloads: undefined,
  fleet: undefined,
  instances: undefined,
  journal: objects,
  lane: queue,
  market: undefined,
  nodeLedger: table,
  overrides: table,
  placements: table,
  poolNodes: table,
  registry: table,
  sealAgain: queue,
  sealing: table,
  shardQueue: queue,
  shardStore: objects,
  orphans: table,
  leftOutboxes: objects,
  nodeReader: table,
  outboxClaims: table,
  outboxes: objects,
  outboxQueue: queue,
  outboxKeys: undefined,
};
