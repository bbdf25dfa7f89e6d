/** An instance that bears this deployment's name and lives. */
export type TaggedInstance = {
  readonly id: string;
  /** What its other tags say; absent where somebody has taken them off. */
  readonly launch?: string | undefined;
  readonly pool?: string | undefined;
  readonly launchedAtMs: number;
};
