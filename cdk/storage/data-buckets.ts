import { ArnFormat, type Stack } from "aws-cdk-lib";

/** Below it, the datasets bucket holds what Fleetwright writes down of datasets: no team can have this name. */
export const keptPrefix = "_fleetwright/";

/** A bucket of the account that is not the stack's. */
export const bucketArn = (stack: Stack, name: string): string =>
  stack.formatArn({ service: "s3", region: "", account: "", resource: name, arnFormat: ArnFormat.NO_RESOURCE_NAME });
