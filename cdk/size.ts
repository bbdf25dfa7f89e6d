import { CfnResource, type Stack } from "aws-cdk-lib";
import { CfnFunction } from "aws-cdk-lib/aws-lambda";
import type { Configuration } from "./configuration/configuration.ts";

/** CloudFormation's limit of resources in a stack, and Lambda's of the bytes of a function's environment. */
const maxResources = 500;
const maxEnvironmentBytes = 4_096;

/** What a further team, and a further pool, adds to the stack. `test/cdk/size.test.ts` counts it. */
export const resourcesPer = { team: 11, pool: 4 } as const;

/**
 * Returns why AWS would refuse the stack for its size, in sentences. CDK refuses too many resources itself, but does not say what to do, and does
 * not look at environments.
 */
export function sizeProblems(stack: Stack, { teams, pools }: Pick<Configuration, "teams" | "pools">): readonly string[] {
  const resources = resourcesOf(stack).length;
  const others = resources - teams.length * resourcesPer.team - pools.length * resourcesPer.pool;
  const teamsThatFit = Math.floor((maxResources - others - pools.length * resourcesPer.pool) / resourcesPer.team);
  const tooMany =
    resources > maxResources
      ? [
          `${counted(teams.length, "team")} and ${counted(pools.length, "pool")} make ${resources} resources, and CloudFormation accepts ${maxResources} in a stack: with this many pools, ${teamsThatFit > 0 ? `${counted(teamsThatFit, "team")} fit` : "no team fits"}. Deploy further teams or pools under another name`,
        ]
      : [];
  return [...tooMany, ...environmentProblems(stack)];
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

export const resourcesOf = (stack: Stack): readonly CfnResource[] =>
  stack.node.findAll().filter((each): each is CfnResource => CfnResource.isCfnResource(each));

const environmentProblems = (stack: Stack): readonly string[] =>
  resourcesOf(stack).flatMap((resource) => {
    if (!(resource instanceof CfnFunction)) return [];
    const bytes = environmentBytes(stack, resource);
    return bytes > maxEnvironmentBytes
      ? [
          `the environment of the function ${resource.functionName ?? resource.logicalId} would have about ${bytes} bytes, and Lambda accepts ${maxEnvironmentBytes}: use fewer pools, or shorter names for them`,
        ]
      : [];
  });

/** Returns the bytes of a function's environment as Lambda counts them: names and values. Values that are only known later count as long. */
export function environmentBytes(stack: Stack, lambda: CfnFunction): number {
  const { variables = {} } = Object(stack.resolve(lambda.environment)) as { variables?: Readonly<Record<string, unknown>> };
  const types = new Map(resourcesOf(stack).map((each) => [String(stack.resolve(each.logicalId)), each.cfnResourceType]));
  return Object.entries(variables).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + lengthOf(value, types), 0);
}

/** The longest identifiers that AWS gives to resources of a type. */
const identifiers: Readonly<Record<string, number>> = {
  "AWS::EC2::LaunchTemplate": 20,
  "AWS::EC2::Subnet": 24,
  "AWS::S3::Bucket": 63,
  "AWS::SQS::Queue": 150,
};
const longestOther = 150;
/** Zones, the partition, the region, the account. */
const shortest = 20;

function lengthOf(value: unknown, types: ReadonlyMap<string, string>): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + lengthOf(each, types), 0);
  if (typeof value !== "object" || value === null) return String(value).length;
  const [[intrinsic, of] = ["", undefined]] = Object.entries(value);
  if (intrinsic === "Fn::Join" && Array.isArray(of)) return lengthOf(of[1], types);
  if (intrinsic === "Ref" && typeof of === "string")
    return of.startsWith("AWS::") ? shortest : (identifiers[types.get(of) ?? ""] ?? longestOther);
  return intrinsic === "Fn::Select" ? shortest : longestOther;
}
