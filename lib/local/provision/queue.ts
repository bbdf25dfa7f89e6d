import { CreateQueueCommand } from "@aws-sdk/client-sqs";
import * as z from "zod";
import { addStatements } from "../access/policies.ts";
import { named, PolicyDocument } from "../access/policy/statement.ts";
import { kind } from "./kind.ts";
import { arn, nameOf } from "./world.ts";

const Scalar = z.union([z.string(), z.number(), z.boolean()]).optional();

/** Attributes that SQS accepts under the same name. */
const attributes = {
  ContentBasedDeduplication: Scalar,
  DeduplicationScope: Scalar,
  DelaySeconds: Scalar,
  FifoQueue: Scalar,
  FifoThroughputLimit: Scalar,
  MaximumMessageSize: Scalar,
  MessageRetentionPeriod: Scalar,
  ReceiveMessageWaitTimeSeconds: Scalar,
  SqsManagedSseEnabled: Scalar,
  VisibilityTimeout: Scalar,
};

export const queue = kind({
  type: "AWS::SQS::Queue",
  properties: z.strictObject({
    ...attributes,
    QueueName: z.string().optional(),
    RedrivePolicy: z.strictObject({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number() }).optional(),
  }),
  create: async ({ QueueName, RedrivePolicy, ...rest }, place, { clients, blueprint }) => {
    const name = QueueName ?? (rest.FifoQueue === true ? `${place.name.slice(0, 75)}.fifo` : place.name.slice(0, 80));
    const given = Object.entries(rest).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)] as const]));
    const redrive = RedrivePolicy ? { RedrivePolicy: JSON.stringify(RedrivePolicy) } : {};
    const made = await clients.sqs.send(
      new CreateQueueCommand({ QueueName: name, Attributes: { ...Object.fromEntries(given), ...redrive } }),
    );
    blueprint.queues.push({ name, url: made.QueueUrl ?? "" });
    return { ref: made.QueueUrl ?? "", attributes: { Arn: arn("sqs", name), QueueName: name, QueueUrl: made.QueueUrl ?? "" } };
  },
});

/** The local cloud judges calls by it. The emulator does not know it. */
export const queuePolicy = kind({
  type: "AWS::SQS::QueuePolicy",
  properties: z.strictObject({ PolicyDocument, Queues: z.array(z.string()).min(1) }),
  create: async ({ PolicyDocument, Queues }, { id }, { blueprint }) => {
    for (const url of Queues) addStatements(blueprint.policies.resource, arn("sqs", nameOf(url)), named(id, PolicyDocument.Statement));
    return { ref: id, attributes: {} };
  },
});
