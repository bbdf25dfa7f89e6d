/** The addresses of one deployment. The stack stores them, as JSON, in the SSM parameter `/fleetwright/NAME/deployment`. */
export type Deployment = {
  readonly name: string;
  readonly table: string;
  /** The name of a team's jobs queue is this prefix followed by the team's name. */
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

/** What the names of all roles of a deployment's teams begin with, in all regions. */
export const teamRolePrefix = (fleet: string): string => `${fleet}-team-`;

/**
 * The name of a team's IAM role, of which the stack creates one per team. A caller that has assumed it acts for that team and no other. Names
 * of roles are unique in an account, so the region is part of it: deployments of one name may exist in several regions.
 */
export const teamRole = (fleet: { readonly name: string; readonly region: string }, team: string): string =>
  `${teamRolePrefix(fleet.name)}${team}-${fleet.region}`;
