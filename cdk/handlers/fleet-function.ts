import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, Stats, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Code, type IFunction, Function as LambdaFunction, RecursiveLoop, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { EnvironmentVariables, FunctionName } from "../../lib/runtime/env.ts";
import { bundleOf, type FunctionBundles } from "../bundles/function-bundles.ts";
import type { Configuration } from "../configuration/configuration.ts";
import { timeouts } from "../queues/timeouts.ts";
import { retention } from "../storage/retention.ts";
import { withRunbook } from "../watching/runbook.ts";

export type FleetFunctionProps<F extends FunctionName> = {
  readonly configuration: Configuration;
  readonly bundles: FunctionBundles;
  /** The name of the file in functions/ and, after the deployment's prefix, of the function. */
  readonly name: F;
  /** Exactly the variables that lib/runtime/env.ts requires. */
  readonly environment: EnvironmentVariables<F>;
  /** Everything that the function may do besides writing its own log. */
  readonly may: readonly PolicyStatement[];
  /** A role made with `functionRole`, needed if another role must trust it before the function exists. @default a role of its own */
  readonly role?: Role;
  /** MiB; 1769 MiB give one full CPU. */
  readonly memory: number;
  /** Keeps events on which the function failed, if events and not a queue invoke it. @default none */
  readonly deadLetters?: IQueue;
  /** Whether an alarm sees its errors, which is needless if its caller reports them to people. @default true */
  readonly hasAlarm?: boolean;
  /** Whether the function is part of an intended loop of queues, which AWS otherwise stops after 16 rounds. @default false */
  readonly loops?: boolean;
};

/** A handler of functions/, bundled, with its own role and log, and an alarm on its errors. */
export class FleetFunction<F extends FunctionName> extends Construct {
  readonly function: IFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: FleetFunctionProps<F>) {
    super(scope, id);
    const functionName = `${props.configuration.name}-${props.name}`;
    const logGroup = new LogGroup(this, "Log", {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: retention(props.configuration.logRetentionDays),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = props.role ?? functionRole(this, props.name);
    this.role.addToPolicy(
      new PolicyStatement({ actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: [logGroup.logGroupArn] }),
    );
    for (const statement of props.may) this.role.addToPolicy(statement);
    const { accountLimit: _, ...aside } = props.configuration.reservedConcurrency ?? {};
    const reserved = new Map(Object.entries(aside)).get(props.name);
    this.function = new LambdaFunction(this, "Function", {
      functionName,
      code: Code.fromAsset(bundleOf(props.bundles, props.name)),
      handler: "index.handler",
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role: this.role,
      logGroup,
      timeout: timeouts[props.name],
      memorySize: props.memory,
      environment: props.environment,
      ...(reserved !== undefined && { reservedConcurrentExecutions: reserved }),
      ...(props.deadLetters && { deadLetterQueue: props.deadLetters }),
      ...(props.loops && { recursiveLoop: RecursiveLoop.ALLOW }),
    });
    if (props.hasAlarm === false) return;
    new Alarm(this, "Errors", {
      alarmName: `${functionName}-errors`,
      alarmDescription: withRunbook(`${functionName} failed three times within five minutes.`, "a-function-fails"),
      metric: this.function.metricErrors({ period: Duration.minutes(5), statistic: Stats.SUM }),
      threshold: 3,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}

/** Creates a role without permissions that a function can assume. */
export const functionRole = (scope: Construct, name: FunctionName): Role =>
  new Role(scope, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com"), description: `Fleetwright's ${name}` });
