/** An instance that bears this deployment's name and has not ended. */
export type TaggedInstance = {
  readonly id: string;
  /** What its other tags say; absent where somebody has taken them off. */
  readonly launch?: string | undefined;
  readonly pool?: string | undefined;
  readonly launchedAtMs: number;
  /** It is shutting down. */
  readonly ending: boolean;
};
