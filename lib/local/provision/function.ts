import * as z from "zod";
import { FleetError } from "../../model/fleet-error.ts";
import { kind } from "./kind.ts";
import { arn, nameOf } from "./world.ts";

export const lambdaFunction = kind({
  type: "AWS::Lambda::Function",
  properties: z.strictObject({
    FunctionName: z.string().optional(),
    Code: z.strictObject({ S3Bucket: z.string(), S3Key: z.string() }),
    Handler: z.string().regex(/^[\w/-]+\.\w+$/),
    Runtime: z.string().startsWith("nodejs"),
    Role: z.string(),
    Timeout: z.coerce.number().default(3),
    MemorySize: z.coerce.number().default(128),
    Environment: z.strictObject({ Variables: z.record(z.string(), z.string()).default({}) }).optional(),
    LoggingConfig: z.looseObject({ LogGroup: z.string().optional() }).default({}),
    DeadLetterConfig: z.strictObject({ TargetArn: z.string() }).optional(),
    ReservedConcurrentExecutions: z.coerce.number().optional(),
  }),
  // Recursive loops are not detected here, and logs are written to the run's folder.
  harmless: ["Architectures", "Description", "RecursiveLoop", "TracingConfig"],
  create: async (properties, place, world) => {
    const name = properties.FunctionName ?? place.name.slice(0, 64);
    const { S3Bucket, S3Key } = properties.Code;
    const folder = world.bundle(S3Bucket, S3Key);
    if (folder === undefined)
      throw new FleetError("template", `The code of ${place.id}, ${S3Bucket}/${S3Key}, is not an asset of the stack`);
    const fact = {
      name,
      arn: arn("lambda", `function:${name}`),
      folder,
      handler: properties.Handler,
      timeoutMs: properties.Timeout * 1000,
      memoryMiB: properties.MemorySize,
      variables: properties.Environment?.Variables ?? {},
      role: nameOf(properties.Role),
      logGroupArn: arn("logs", `log-group:${properties.LoggingConfig.LogGroup ?? `/aws/lambda/${name}`}`),
      deadLetterArn: properties.DeadLetterConfig?.TargetArn,
      maximumConcurrency: properties.ReservedConcurrentExecutions,
    };
    world.blueprint.functions.push(fact);
    return { ref: name, attributes: { Arn: fact.arn } };
  },
});

export const permission = kind({
  type: "AWS::Lambda::Permission",
  properties: z.strictObject({
    Action: z.string(),
    FunctionName: z.string(),
    Principal: z.string(),
    SourceArn: z.string().optional(),
    SourceAccount: z.string().optional(),
  }),
  create: async ({ Action, FunctionName, Principal, SourceArn }, place, { blueprint }) => {
    if (Action === "lambda:InvokeFunction")
      blueprint.permissions.push({
        functionArn: arn("lambda", `function:${nameOf(FunctionName)}`),
        principal: Principal,
        sourceArn: SourceArn,
      });
    return { ref: place.name, attributes: {} };
  },
});

export const functionUrl = kind({
  type: "AWS::Lambda::Url",
  properties: z.strictObject({
    AuthType: z.literal("AWS_IAM"),
    TargetFunctionArn: z.string(),
    InvokeMode: z.literal("BUFFERED").optional(),
  }),
  create: async ({ TargetFunctionArn }, _place, { blueprint, endpoint }) => {
    const name = nameOf(TargetFunctionArn);
    const functionArn = arn("lambda", `function:${name}`);
    blueprint.functionUrls.push({ functionArn });
    return { ref: functionArn, attributes: { FunctionArn: functionArn, FunctionUrl: `${endpoint}/_url/${name}/` } };
  },
});

/** Lambda's own defaults: two retries within six hours. */
export const eventInvokeConfig = kind({
  type: "AWS::Lambda::EventInvokeConfig",
  properties: z.strictObject({
    FunctionName: z.string(),
    Qualifier: z.literal("$LATEST"),
    MaximumRetryAttempts: z.coerce.number().int().min(0).max(2).default(2),
    MaximumEventAgeInSeconds: z.coerce.number().min(60).max(21_600).default(21_600),
    DestinationConfig: z
      .strictObject({ OnFailure: z.strictObject({ Destination: z.string().startsWith("arn:aws:sqs:") }).optional() })
      .default({}),
  }),
  create: async (properties, place, { blueprint }) => {
    blueprint.asynchronous.push({
      functionName: nameOf(properties.FunctionName),
      retries: properties.MaximumRetryAttempts,
      maxAgeMs: properties.MaximumEventAgeInSeconds * 1000,
      onFailureArn: properties.DestinationConfig.OnFailure?.Destination,
    });
    return { ref: place.name, attributes: {} };
  },
});

export const eventSourceMapping = kind({
  type: "AWS::Lambda::EventSourceMapping",
  properties: z.strictObject({
    EventSourceArn: z.string().startsWith("arn:aws:sqs:"),
    FunctionName: z.string(),
    BatchSize: z.number().default(10),
    Enabled: z.literal(true).optional(),
    FunctionResponseTypes: z.array(z.literal("ReportBatchItemFailures")).default([]),
    MaximumBatchingWindowInSeconds: z.number().default(0),
    ScalingConfig: z.strictObject({ MaximumConcurrency: z.number().int().min(2).max(1_000) }).optional(),
  }),
  create: async (properties, place, { blueprint }) => {
    blueprint.eventSources.push({
      queueArn: properties.EventSourceArn,
      functionName: nameOf(properties.FunctionName),
      batchSize: properties.BatchSize,
      windowMs: properties.MaximumBatchingWindowInSeconds * 1000,
      partialFailures: properties.FunctionResponseTypes.length > 0,
      maximumConcurrency: properties.ScalingConfig?.MaximumConcurrency,
    });
    return { ref: place.name, attributes: { Id: place.name } };
  },
});
