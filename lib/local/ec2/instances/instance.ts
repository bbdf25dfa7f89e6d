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
  /** Undefined if the instance was not launched from a template. Nothing runs on such an instance. */
  readonly template?: { readonly id: string; readonly version: string } | undefined;
};

/** The notices that a spot instance has received through its metadata. */
export type InstanceNotices = {
  /** When it will be interrupted. */
  readonly endsAtMs?: number;
  /** When it was notified that it is at elevated risk of interruption. */
  readonly rebalanceAtMs?: number;
};

/** Why an interrupted instance ended, in EC2's words. */
export const spotTermination = "Server.SpotInstanceTermination";

/** An instance with its history: a view that changes while the instance lives. */
export type InstanceRecord = InstanceFacts & {
  readonly launchedAtMs: number;
  readonly states: readonly { readonly state: InstanceStateName; readonly atMs: number; readonly because: string }[];
  /** The worker's process. Undefined while no worker runs. */
  readonly workerPid?: number | undefined;
  /** Contains the worker, its files, and its log, `worker.log`. */
  readonly folder: string;
  readonly notices: InstanceNotices;
  /** Whether EC2 has forgotten it. */
  readonly vanished: boolean;
};
