import type { TaggedInstance } from "../model/tagged-instance.ts";

/** EC2, as far as looking for our instances needs it. */
export interface TaggedInstances {
  /** All of them; undefined unless EC2 has told every page. One that was just launched may be missing for a minute. */
  list(): Promise<readonly TaggedInstance[] | undefined>;
}

/** What the ledger knows of instances, and which were seen that it does not know. */
export interface Strays {
  /** Those that are no node of any pool, and that no open launch may have brought. As it is now. */
  unowned(instances: readonly TaggedInstance[]): Promise<readonly TaggedInstance[]>;
  /** Since when each is on record as unowned. */
  noted(): Promise<ReadonlyMap<string, number>>;
  note(since: ReadonlyMap<string, number>): Promise<void>;
}
