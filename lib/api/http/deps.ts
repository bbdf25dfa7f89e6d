import type { AddDeps } from "../../flows/add-dataset.ts";
import type { CancelManyDeps } from "../../flows/cancel-job.ts";
import type { SubmitDeps } from "../../flows/submit-job.ts";
import type { ConfiguredLimits } from "../../model/limits.ts";
import type { Pool } from "../../model/pool.ts";
import type { AttemptLogs } from "../../ports/attempt-logs.ts";
import type { Datasets, PoolNodes } from "../../ports/datasets.ts";
import type { DecisionReader } from "../../ports/decision-reader.ts";
import type { JobLookup, JobReader, Sealing } from "../../ports/jobs.ts";
import type { NodeReader } from "../../ports/node-reader.ts";
import type { Decisions } from "../../ports/pool-ledger.ts";

/** The ports and settings that the operations need. */
export type ApiDeps = {
  readonly fleet: {
    readonly name: string;
    readonly teams: readonly string[];
    readonly pools: readonly Pool[];
    readonly defaultPool: string;
  } & ConfiguredLimits;
  readonly submit: SubmitDeps;
  readonly cancel: CancelManyDeps;
  readonly jobs: Pick<JobReader, "list">;
  readonly lookup: JobLookup;
  /** Reads one job with strong consistency, so that a caller who has just submitted it finds it. */
  readonly current: Pick<Sealing, "get">;
  readonly logs: AttemptLogs;
  readonly nodes: NodeReader;
  readonly pools: Pick<Decisions, "load" | "state" | "resetLearning">;
  readonly decisions: DecisionReader;
  readonly datasets: Datasets;
  readonly poolNodes: PoolNodes;
  readonly addDataset: Omit<AddDeps, "now" | "datasets">;
  /** Ms since the epoch. */
  readonly now: () => number;
};
