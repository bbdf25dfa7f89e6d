import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { FleetError } from "../../model/fleet-error.ts";
import type { DeadLetter, DeadQueue } from "../../model/letters/dead-letter.ts";
import type { DeadLetters } from "../../ports/queues/dead-letters.ts";
import { awsErrorKind } from "../errors.ts";
import { queueUrls } from "./queue-urls.ts";

/** SQS's limit per call. */
const perCall = 10;
/** How long a letter that was taken is hidden from others. Long enough to send and delete ten of them. */
const hiddenSeconds = 60;
/** With a wait, SQS searches all its servers. Without one, it searches some of them, and may find nothing in a queue that has letters. */
const waitSeconds = 1;
/** The attributes in which EventBridge and Lambda note why they gave up. */
const errorNames = ["ERROR_MESSAGE", "ERROR_CODE", "ErrorMessage"];
const longestError = 300;

/**
 * The dead-letter queues of a deployment, in SQS. Messages are moved by sending and deleting them: StartMessageMoveTask refuses the letters of
 * Lambda and EventBridge, and the queues for uploads and datasets hold both kinds.
 */
export function sqsDeadLetters(sqs: Pick<SQSClient, "send">, fleet: string): DeadLetters {
  const urlOf = queueUrls(sqs);
  const deadUrl = ({ name, fifo }: DeadQueue): Promise<string> => urlOf(`${fleet}-dead-${name}${fifo ? ".fifo" : ""}`);
  const receive = async (of: DeadQueue, { most, hidden }: { most: number; hidden: number }): Promise<readonly Message[]> => {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: await deadUrl(of),
        MaxNumberOfMessages: Math.min(most, perCall),
        VisibilityTimeout: hidden,
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ["SentTimestamp", "ApproximateReceiveCount"],
        MessageAttributeNames: errorNames,
      }),
    );
    return Messages;
  };
  return {
    async count(of) {
      try {
        const { Attributes = {} } = await sqs.send(
          new GetQueueAttributesCommand({
            QueueUrl: await deadUrl(of),
            AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
          }),
        );
        return Number(Attributes["ApproximateNumberOfMessages"] ?? 0) + Number(Attributes["ApproximateNumberOfMessagesNotVisible"] ?? 0);
      } catch (error) {
        if (awsErrorKind(error) === "missing") return undefined;
        throw error;
      }
    },
    // Hidden for no time at all: otherwise the alarm would see an empty queue, and a redrive would find nothing.
    look: async (of) => (await receive(of, { most: perCall, hidden: 0 })).map(letterOf),
    take: async (of, most) =>
      (await receive(of, { most, hidden: hiddenSeconds })).map((message) => ({
        ...letterOf(message),
        receipt: message.ReceiptHandle ?? "",
      })),
    async send({ name, fifo }, body) {
      if (fifo) throw new FleetError("fifo", `the letters of ${name} cannot be sent back`);
      await sqs.send(new SendMessageCommand({ QueueUrl: await urlOf(`${fleet}-${name}`), MessageBody: body }));
    },
    async delete(of, { receipt }) {
      await sqs.send(new DeleteMessageCommand({ QueueUrl: await deadUrl(of), ReceiptHandle: receipt }));
    },
  };
}

function letterOf({ MessageId = "", Body = "", Attributes = {}, MessageAttributes = {} }: Message): DeadLetter {
  const error = errorNames.map((name) => MessageAttributes[name]?.StringValue).find((text) => text !== undefined);
  return {
    id: MessageId,
    body: Body,
    sentAtMs: Number(Attributes.SentTimestamp ?? 0),
    received: Number(Attributes.ApproximateReceiveCount ?? 0),
    ...(error !== undefined && { error: error.slice(0, longestError) }),
  };
}
