import { setTimeout as pause } from "node:timers/promises";
import { GetQueueUrlCommand, SendMessageBatchCommand, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import pMap from "p-map";
import { FleetError } from "../../model/fleet-error.ts";
import { awsErrorKind } from "../errors.ts";

/** The outcome of one of many messages. */
export type Sent = { readonly kind: "sent"; readonly messageId: string } | { readonly kind: "failed"; readonly error: unknown };

/** The teams' queues for jobs. */
export type JobQueue = {
  /** Sends a message unchanged; its receiver checks whether it is a valid job. The message's id names the job unless the body does. */
  send(team: string, body: string): Promise<{ readonly messageId: string }>;
  /**
   * Sends many messages, several batches at a time, and returns their outcomes in the same order. Throws only if the first batch
   * could not be sent. `onProgress` is called with the number of messages done.
   */
  sendAll(team: string, bodies: readonly string[], onProgress?: (done: number) => void): Promise<readonly Sent[]>;
};

/** SQS's limits per batch: ten messages, which together may not be larger than a single message may be. */
const maxOfBatch = 10;
const maxBytes = 250_000;
const concurrency = 4;
/** Tries per batch if SQS refuses some of its messages. In addition, the SDK repeats each call. */
const maxTries = 3;
const pauseMs = 300;

/** Sends to teams' queues, which are named `prefix` and the team. */
export const sqsJobQueue = (sqs: Pick<SQSClient, "send">, prefix: string): JobQueue => {
  const known = new Map<string, string>();
  const urlOf = async (team: string): Promise<string> => {
    const url = known.get(team) ?? (await queueUrl(sqs, team, `${prefix}${team}`));
    known.set(team, url);
    return url;
  };
  return {
    async send(team, body) {
      const { MessageId } = await sqs.send(new SendMessageCommand({ QueueUrl: await urlOf(team), MessageBody: body }));
      if (MessageId === undefined) throw new FleetError("queue", "SQS returned no message id", { retry: true });
      return { messageId: MessageId };
    },
    async sendAll(team, bodies, onProgress = () => undefined) {
      const to = { sqs, url: await urlOf(team) };
      const outcomes = new Map<number, Sent>();
      const note = (those: ReadonlyMap<number, Sent>): void => {
        for (const [index, sent] of those) outcomes.set(index, sent);
        onProgress(outcomes.size);
      };
      const [first = [], ...rest] = batches(bodies);
      // The first batch is sent alone, so that a missing permission or an unreachable queue throws at once.
      note(await sendBatch(to, first));
      await pMap(rest, async (batch) => note(await sendBatch(to, batch).catch(allFailed(batch))), { concurrency });
      return bodies.map(
        (_body, index) => outcomes.get(index) ?? { kind: "failed", error: new FleetError("queue", "the message was not sent") },
      );
    },
  };
};

type Entry = { readonly index: number; readonly body: string };

function batches(bodies: readonly string[]): readonly (readonly Entry[])[] {
  const all: Entry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const [index, body] of bodies.entries()) {
    const size = Buffer.byteLength(body);
    const last = all.at(-1);
    if (last !== undefined && last.length < maxOfBatch && bytes + size <= maxBytes) {
      last.push({ index, body });
      bytes += size;
    } else {
      all.push([{ index, body }]);
      bytes = size;
    }
  }
  return all;
}

type To = { readonly sqs: Pick<SQSClient, "send">; readonly url: string };

async function sendBatch({ sqs, url }: To, batch: readonly Entry[]): Promise<ReadonlyMap<number, Sent>> {
  const outcomes = new Map<number, Sent>();
  let left = batch;
  for (let tries = 1; left.length > 0; tries += 1) {
    const Entries = left.map(({ index, body }) => ({ Id: String(index), MessageBody: body }));
    const { Successful = [], Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    for (const { Id, MessageId = "" } of Successful) outcomes.set(Number(Id), { kind: "sent", messageId: MessageId });
    for (const { Id, Message, Code } of Failed)
      outcomes.set(Number(Id), { kind: "failed", error: new FleetError("queue", Message ?? Code ?? "SQS refused the message") });
    const senders = new Set(Failed.filter(({ SenderFault }) => SenderFault).map(({ Id }) => Number(Id)));
    left = left.filter(({ index }) => outcomes.get(index)?.kind !== "sent" && !senders.has(index));
    if (tries >= maxTries) break;
    if (left.length > 0) await pause(pauseMs * tries);
  }
  return outcomes;
}

const allFailed =
  (batch: readonly Entry[]) =>
  (error: unknown): ReadonlyMap<number, Sent> =>
    new Map(batch.map(({ index }) => [index, { kind: "failed", error }]));

async function queueUrl(sqs: Pick<SQSClient, "send">, team: string, name: string): Promise<string> {
  try {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
    if (QueueUrl) return QueueUrl;
  } catch (error) {
    if (awsErrorKind(error) !== "missing") throw error;
  }
  throw new FleetError("no-team", `There is no team ${team}: no queue is named ${name}`);
}
