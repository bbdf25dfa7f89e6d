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
  /** The function URL of the API. */
  readonly apiUrl: string;
  readonly teams: readonly string[];
  readonly pools: readonly string[];
  readonly defaultPool: string;
};

/** The role of a team: whoever has taken it speaks for that team and no other. The stack makes one for each. */
export const teamRole = (fleet: string, team: string): string => `${fleet}-team-${team}`;
