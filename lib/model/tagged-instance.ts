/** An instance that has this deployment's tag and has not ended. */
export type TaggedInstance = {
  readonly id: string;
  /** The launch and the pool that its other tags name; undefined if the tag was removed. */
  readonly launch?: string | undefined;
  readonly pool?: string | undefined;
  readonly launchedAtMs: number;
  /** Whether it is shutting down. */
  readonly ending: boolean;
};
