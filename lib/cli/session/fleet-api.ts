import * as z from "zod";
import { AttemptPageView } from "../../api/views/attempts.ts";
import { DatasetDetailView, DatasetList, DatasetView } from "../../api/views/datasets.ts";
import { DecisionPage, DecisionView } from "../../api/views/decisions.ts";
import { CancelledJobs, CheckedJobs, JobPage, JobView } from "../../api/views/jobs.ts";
import { DeadQueueList, HandledLetters } from "../../api/views/letters.ts";
import { LimitsView } from "../../api/views/limits.ts";
import { LogPage } from "../../api/views/logs.ts";
import { Me } from "../../api/views/me.ts";
import { NodePage, NodeView } from "../../api/views/nodes.ts";
import { OverridesView } from "../../api/views/overrides.ts";
import { PoolList, PoolView } from "../../api/views/pools.ts";
import type { AttemptRef, JobRef } from "../../model/job.ts";
import type { Budgets } from "../../model/pool.ts";
import type { ApiRequest, CallApi } from "./api-client.ts";

/** Where a page begins and its maximum length. */
export type Paging = { readonly limit?: number | undefined; readonly cursor?: string | undefined };
export type LogQuery = {
  readonly attempt?: number | undefined;
  readonly rank?: number | undefined;
  /** ISO 8601, in UTC. */
  readonly since?: string | undefined;
  /** Starts with this many of the newest lines. */
  readonly tail?: number | undefined;
};
export type DatasetAt = { readonly team: string; readonly dataset: string };

export type JobsQuery = {
  readonly team: string;
  /** States, separated by commas. */
  readonly state?: string | undefined;
  readonly name?: string | undefined;
  readonly pool?: string | undefined;
  /** ISO 8601 */
  readonly since?: string | undefined;
  /** ISO 8601 */
  readonly before?: string | undefined;
};
export type CancelRequest = {
  readonly jobs: readonly string[];
  readonly reason?: string | undefined;
  readonly states?: readonly string[] | undefined;
};

/** Fields of the configuration of a pool, with the values that apply instead. */
export type SetRequest = OrderRequest & {
  /** The team whose budgets are meant; undefined for those of the pool. */
  readonly team?: string | undefined;
  readonly limits: { readonly usdPerHour?: number | undefined; readonly gpus?: number | undefined };
  readonly budgets: Budgets;
  readonly minNodes?: number | undefined;
  /** ISO 8601 */
  readonly until?: string | undefined;
  readonly forSeconds?: number | undefined;
};
export type UnsetRequest = OrderRequest & { readonly team?: string | undefined; readonly settings?: readonly string[] | undefined };

/** Limits across pools. `team`: the team whose limits are meant; undefined for those of the deployment. */
export type SetLimitsRequest = Omit<SetRequest, "budgets" | "minNodes">;

export type OrderRequest = {
  readonly reason?: string | undefined;
  readonly version?: number | undefined;
  readonly deadlineSeconds?: number | undefined;
};

/** The API's operations. All throw the Faults of `CallApi`. */
export type FleetApi = {
  /** Makes any call, and returns the response without validation. */
  raw(call: ApiRequest): Promise<unknown>;
  me(): Promise<Me>;
  job(ref: JobRef): Promise<JobView>;
  /** Returns a page of a job's attempts, newest first. */
  attempts(of: JobRef & Paging): Promise<AttemptPageView>;
  jobs(of: Paging & JobsQuery): Promise<JobPage>;
  /** Checks whether the deployment would accept these job messages now; at most a hundred. */
  checkJobs(team: string, messages: readonly unknown[]): Promise<CheckedJobs>;
  /** Cancels a job. It is no error if the job is already cancelled, and a `conflict` if it has ended otherwise. */
  cancel(ref: JobRef, reason: string | undefined): Promise<JobView>;
  /** Stops an attempt of a job and queues the job again. It is a `conflict` if that attempt is not running. */
  requeue(ref: AttemptRef, reason: string | undefined): Promise<JobView>;
  /** Cancels at most a hundred jobs, each with its own outcome. */
  cancelJobs(team: string, request: CancelRequest): Promise<CancelledJobs>;
  /** Returns a page of the log of an attempt, by default the latest. */
  logs(of: JobRef & Paging & LogQuery): Promise<LogPage>;
  nodes(of: Paging & { pool?: string | undefined }): Promise<NodePage>;
  node(id: string): Promise<NodeView>;
  pools(): Promise<PoolList>;
  pool(name: string): Promise<PoolView>;
  /** Changes a pool's overrides, and returns them. It is a `conflict` if they are of another version. */
  orderPool(pool: string, kind: "pause" | "drain" | "resume", order: OrderRequest): Promise<OverridesView>;
  /** Sets limits and budgets of a pool instead of the configured ones, with the same conflicts. */
  setPool(pool: string, values: SetRequest): Promise<OverridesView>;
  /** Lets configured limits and budgets apply again. */
  unsetPool(pool: string, what: UnsetRequest): Promise<OverridesView>;
  /** Does the same about one of its nodes. It is a `conflict`, too, if the node is leaving its pool already. */
  orderNode(node: string, kind: "cordon" | "uncordon" | "drain", order: OrderRequest): Promise<OverridesView>;
  /** Returns the limits across pools, as do the two operations after it, which change them as a pool's are changed. */
  limits(): Promise<LimitsView>;
  setLimits(values: SetLimitsRequest): Promise<LimitsView>;
  unsetLimits(what: UnsetRequest): Promise<LimitsView>;
  /** Declares that nothing runs on a node any more. It is a `conflict` if its worker has called lately. */
  declareDead(node: string, reason: string): Promise<NodeView>;
  /** Deletes what the pool has learned about packing engines. */
  forgetLearned(pool: string): Promise<void>;
  decisions(of: Paging & { pool: string }): Promise<DecisionPage>;
  decision(of: { pool: string; id: string }): Promise<DecisionView>;
  datasets(team: string): Promise<DatasetList>;
  dataset(at: DatasetAt): Promise<DatasetDetailView>;
  /** Adds a dataset, or lists it again if it exists with this source. If it has another source: a `conflict`, unless `replace` is set. */
  putDataset(at: DatasetAt, from: { source: string; replace: boolean }): Promise<DatasetView>;
  removeDataset(at: DatasetAt): Promise<void>;
  /** Lists every queue for messages that could not be handled. Only for admins, as are the two operations after it. */
  deadLetters(): Promise<DeadQueueList>;
  /** Sends letters back to the queue that they were meant for, at most a hundred. It is a `conflict` if these should not be sent back. */
  redriveLetters(queue: string): Promise<HandledLetters>;
  /** Deletes letters, at most a hundred. It is a `conflict` if these are not outdated. */
  deleteLetters(queue: string): Promise<HandledLetters>;
};

const name = encodeURIComponent;
const jobPath = ({ team, job }: JobRef): string => `/v1/teams/${name(team)}/jobs/${name(job)}`;
const datasetPath = ({ team, dataset }: DatasetAt): string => `/v1/teams/${name(team)}/datasets/${name(dataset)}`;
const decisionsPath = (pool: string): string => `/v1/pools/${name(pool)}/decisions`;
const Nothing = z.unknown().transform(() => undefined);

export const fleetApi = (call: CallApi): FleetApi => ({
  raw: (what) => call(z.unknown(), what),
  me: () => call(Me, { method: "GET", path: "/v1/me" }),
  job: (ref) => call(JobView, { method: "GET", path: jobPath(ref) }),
  attempts: ({ team, job, ...query }) => call(AttemptPageView, { method: "GET", path: `${jobPath({ team, job })}/attempts`, query }),
  jobs: ({ team, ...query }) => call(JobPage, { method: "GET", path: `/v1/teams/${name(team)}/jobs`, query }),
  checkJobs: (team, jobs) => call(CheckedJobs, { method: "POST", path: `/v1/teams/${name(team)}/jobs/check`, body: { jobs } }),
  cancelJobs: (team, body) => call(CancelledJobs, { method: "POST", path: `/v1/teams/${name(team)}/jobs/cancel`, body }),
  cancel: (ref, reason) => call(JobView, { method: "POST", path: `${jobPath(ref)}/cancel`, body: reason === undefined ? {} : { reason } }),
  requeue: ({ attempt, ...ref }, reason) => call(JobView, { method: "POST", path: `${jobPath(ref)}/requeue`, body: { attempt, reason } }),
  logs: ({ team, job, ...query }) => call(LogPage, { method: "GET", path: `${jobPath({ team, job })}/logs`, query }),
  nodes: (query) => call(NodePage, { method: "GET", path: "/v1/nodes", query }),
  node: (id) => call(NodeView, { method: "GET", path: `/v1/nodes/${name(id)}` }),
  pools: () => call(PoolList, { method: "GET", path: "/v1/pools" }),
  pool: (pool) => call(PoolView, { method: "GET", path: `/v1/pools/${name(pool)}` }),
  orderPool: (pool, kind, body) => call(OverridesView, { method: "POST", path: `/v1/pools/${name(pool)}/${kind}`, body }),
  setPool: (pool, body) => call(OverridesView, { method: "POST", path: `/v1/pools/${name(pool)}/set`, body }),
  unsetPool: (pool, body) => call(OverridesView, { method: "POST", path: `/v1/pools/${name(pool)}/unset`, body }),
  limits: () => call(LimitsView, { method: "GET", path: "/v1/limits" }),
  setLimits: (body) => call(LimitsView, { method: "POST", path: "/v1/limits/set", body }),
  unsetLimits: (body) => call(LimitsView, { method: "POST", path: "/v1/limits/unset", body }),
  orderNode: (node, kind, body) => call(OverridesView, { method: "POST", path: `/v1/nodes/${name(node)}/${kind}`, body }),
  declareDead: (node, reason) => call(NodeView, { method: "POST", path: `/v1/nodes/${name(node)}/declare-dead`, body: { reason } }),
  forgetLearned: (pool) => call(Nothing, { method: "DELETE", path: `/v1/pools/${name(pool)}/learned` }),
  decisions: ({ pool, ...query }) => call(DecisionPage, { method: "GET", path: decisionsPath(pool), query }),
  decision: ({ pool, id }) => call(DecisionView, { method: "GET", path: `${decisionsPath(pool)}/${name(id)}` }),
  datasets: (team) => call(DatasetList, { method: "GET", path: `/v1/teams/${name(team)}/datasets` }),
  dataset: (at) => call(DatasetDetailView, { method: "GET", path: datasetPath(at) }),
  putDataset: (at, from) => call(DatasetView, { method: "PUT", path: datasetPath(at), body: from }),
  removeDataset: (at) => call(Nothing, { method: "DELETE", path: datasetPath(at) }),
  deadLetters: () => call(DeadQueueList, { method: "GET", path: "/v1/dead-letters" }),
  redriveLetters: (queue) => call(HandledLetters, { method: "POST", path: `/v1/dead-letters/${name(queue)}/redrive` }),
  deleteLetters: (queue) => call(HandledLetters, { method: "POST", path: `/v1/dead-letters/${name(queue)}/delete` }),
});
