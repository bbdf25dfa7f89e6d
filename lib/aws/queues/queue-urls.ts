import { GetQueueUrlCommand, type SQSClient } from "@aws-sdk/client-sqs";

/** Returns a function that returns a queue's URL, and asks SQS for each once. AWS says that URLs must not be composed. */
export function queueUrls(sqs: Pick<SQSClient, "send">): (name: string) => Promise<string> {
  const known = new Map<string, string>();
  return async (QueueName) => {
    const { QueueUrl = "" } = known.has(QueueName)
      ? { QueueUrl: known.get(QueueName) }
      : await sqs.send(new GetQueueUrlCommand({ QueueName }));
    known.set(QueueName, QueueUrl);
    return QueueUrl;
  };
}
