import type { Market } from "../../../model/offer.ts";

export type InstanceStateName = "pending" | "running" | "shutting-down" | "terminated";

export const stateCodes: Readonly<Record<InstanceStateName, number>> = { pending: 0, running: 16, "shutting-down": 32, terminated: 48 };

/** An instance as it was launched. */
export type InstanceFacts = {
  readonly id: string;
  readonly region: string;
  readonly instanceType: string;
  readonly zone: string;
  readonly market: Market;
  readonly imageId: string;
  readonly privateIp: string;
  readonly accountId: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Absent for an instance that was not made from one: nothing runs on it. */
  readonly template?: { readonly id: string; readonly version: string } | undefined;
};

/** What EC2 has told a spot instance through its metadata. */
export type InstanceNotices = {
  /** When it is interrupted. */
  readonly endsAtMs?: number;
  /** When it was told that it is at elevated risk of that. */
  readonly rebalanceAtMs?: number;
};

/** Why an interrupted instance ended, in EC2's words. */
export const spotTermination = "Server.SpotInstanceTermination";

/** What became of it; a view that changes as it lives. */
export type InstanceRecord = InstanceFacts & {
  readonly launchedAtMs: number;
  readonly states: readonly { readonly state: InstanceStateName; readonly atMs: number; readonly because: string }[];
  /** The worker's process, while it runs. */
  readonly workerPid?: number | undefined;
  /** Holds the worker, what it writes, and its log, `worker.log`. */
  readonly folder: string;
  readonly notices: InstanceNotices;
  /** EC2 no longer knows it. */
  readonly vanished: boolean;
};
