import { GetQueueUrlCommand, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { Fault } from "../model/fault.ts";
import { awsErrorKind } from "./errors.ts";

/** Where a team drops its jobs. */
export type JobQueue = {
  /** Sends a message as it is; whether it is a legal job, its receiver decides. The id names the job unless the body does. */
  send(team: string, body: string): Promise<{ readonly messageId: string }>;
};

/** A team's queue is named by `prefix` and the team. */
export const sqsJobQueue = (sqs: Pick<SQSClient, "send">, prefix: string): JobQueue => {
  const known = new Map<string, string>();
  return {
    async send(team, body) {
      const url = known.get(team) ?? (await queueUrl(sqs, team, `${prefix}${team}`));
      known.set(team, url);
      const { MessageId } = await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body }));
      if (MessageId === undefined) throw new Fault("queue", "SQS took a message without naming it", { retry: true });
      return { messageId: MessageId };
    },
  };
};

async function queueUrl(sqs: Pick<SQSClient, "send">, team: string, name: string): Promise<string> {
  try {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
    if (QueueUrl) return QueueUrl;
  } catch (error) {
    if (awsErrorKind(error) !== "missing") throw error;
  }
  throw new Fault("no-team", `There is no team ${team} here: no queue is named ${name}`);
}
