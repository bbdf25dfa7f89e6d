import type { TaggedInstance } from "../model/tagged-instance.ts";

/** The part of EC2 that lists the deployment's instances. */
export interface TaggedInstances {
  /** Returns all of them, or undefined if a page could not be read. An instance may be missing during the first minute after its launch. */
  list(): Promise<readonly TaggedInstance[] | undefined>;
}

/** The instances that EC2 lists and the ledger does not know. */
export interface Orphans {
  /** Returns the instances that are not a node of any pool and cannot be from an open launch, by a consistent read. */
  unowned(instances: readonly TaggedInstance[]): Promise<readonly TaggedInstance[]>;
  /** Returns since when each instance is recorded as unowned, ms since the epoch, by id. */
  recorded(): Promise<ReadonlyMap<string, number>>;
  /** Replaces that record. */
  record(since: ReadonlyMap<string, number>): Promise<void>;
}
