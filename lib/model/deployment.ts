/** Where one deployed Fleetwright is reached: the stack keeps it, as JSON, in the SSM parameter `/fleetwright/NAME/deployment`. */
export type Deployment = {
  readonly name: string;
  readonly table: string;
  /** A team's queue: this and the team's name. */
  readonly jobsQueuePrefix: string;
  readonly incomingBucket: string;
  readonly artifactsBucket: string;
  readonly codeBucket: string;
  readonly decisionsBucket: string;
  readonly datasetsBucket: string;
  readonly keyAliasPrefix: string;
  readonly logGroupPrefix: string;
  /** The function URL of the API; absent where there is none yet. */
  readonly apiUrl?: string | undefined;
  readonly teams: readonly string[];
  readonly pools: readonly string[];
  readonly defaultPool: string;
};
