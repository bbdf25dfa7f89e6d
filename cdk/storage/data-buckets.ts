import { ArnFormat, type Stack } from "aws-cdk-lib";

/** The prefix of Fleetwright's own records in the datasets bucket. No team can have this name. */
export const keptPrefix = "_fleetwright/";

/** The condition that a bucket belongs to the account. A name is no proof, because another account may take the name of a deleted bucket. */
export const ofThisAccount = (stack: Stack) => ({ StringEquals: { "aws:ResourceAccount": stack.account } });

/** Returns the ARN of a bucket of the account that is not part of the stack. */
export const bucketArn = (stack: Stack, name: string): string =>
  stack.formatArn({ service: "s3", region: "", account: "", resource: name, arnFormat: ArnFormat.NO_RESOURCE_NAME });
