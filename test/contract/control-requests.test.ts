import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { CreateQueueCommand } from "@aws-sdk/client-sqs";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { manifestKey } from "../../events/artifacts/upload.ts";
import { kmsOutboxKeys } from "../../lib/aws/access/outbox-keys.ts";
import { s3Client } from "../../lib/aws/clients/s3.ts";
import { sqsClient } from "../../lib/aws/clients/sqs.ts";
import { s3Journal } from "../../lib/aws/decisions/journal.ts";
import { sqsLane } from "../../lib/aws/queues/lane.ts";
import { sqsOutboxQueue } from "../../lib/aws/queues/outbox-queue.ts";
import { sqsSealQueue } from "../../lib/aws/queues/seal-queue.ts";
import { sqsShardQueue } from "../../lib/aws/queues/shard-queue.ts";
import type { Counts } from "../../lib/cli/cost/control/counts.ts";
import { portCall } from "../../lib/cli/cost/control/port-calls.ts";
import { sealedManifest } from "../../lib/model/artifact.ts";
import type { SimPorts } from "../../lib/sim/faults/ports.ts";
import { manifestOf } from "../../lib/sim/memory/artifacts.ts";
import { aDecision } from "../fakes/builders.ts";
import { sealingStage } from "./sealing-stage.ts";
import { anAttempt, upload } from "./suites/artifacts.ts";
import { unique, wire } from "./wire.ts";

/** The commands that clients have sent since the last call. */
class Sent {
  #names: string[] = [];

  watch<C extends { middlewareStack: { add(middleware: never, options: { step: "initialize" }): void } }>(client: C): C {
    const middleware =
      (next: (args: unknown) => Promise<unknown>, context: { commandName?: string }) =>
      (args: unknown): Promise<unknown> => {
        this.#names.push(context.commandName ?? "");
        return next(args);
      };
    client.middlewareStack.add(middleware as never, { step: "initialize" });
    return client;
  }

  forget(): void {
    this.#names.length = 0;
  }

  /** Returns what AWS bills for them. The look-up of a key by its alias is done once per process. */
  take(): Partial<Counts> {
    const names = this.#names.splice(0);
    const count = (pattern: RegExp): number => names.filter((name) => pattern.test(name)).length;
    const all = {
      sqs: count(/^SendMessageCommand$/),
      s3Gets: count(/^GetObjectCommand$/),
      s3Puts: count(/^PutObjectCommand$/),
      keyRequests: count(/^(?:GenerateDataKey|Decrypt|Encrypt)Command$/),
    };
    expect(names.length, names.join(", ")).toBe(Object.values(all).reduce((sum, each) => sum + each, 0) + count(/^DescribeKeyCommand$/));
    return Object.fromEntries(Object.entries(all).filter(([, n]) => n > 0));
  }
}

const sent = new Sent();
const sqs = sent.watch(sqsClient(wire(inject("ministackUrl"))));
const s3 = sent.watch(s3Client(wire(inject("ministackUrl"))));
const stage = sealingStage();

const queue = async (QueueName: string, Attributes: Record<string, string> = {}): Promise<string> =>
  (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? "";

/** Returns what a call is said to be billed. */
const said = (port: keyof SimPorts, method: string, result?: unknown): Partial<Counts> => portCall(port, method, result).bills;

describe("the requests that fleet cost --control bills for a call of a port are those that its adapter sends", () => {
  beforeAll(async () => {
    await stage.open();
    sent.watch(stage.s3);
    sent.watch(stage.kms);
  });

  test("queues", async () => {
    const url = await queue(unique("control"));
    const laneQueueUrl = await queue(`${unique("control")}.fifo`, { FifoQueue: "true" });
    const lane = sqsLane({ sqs, laneQueueUrl, laterQueueUrl: url, newId: () => crypto.randomUUID() });
    const attempt = { team: "vision", job: "a", attempt: 1 };
    sent.forget();
    await lane.send("gpu");
    // The FIFO queue is the only one whose requests have another price.
    expect({ sqs: said("lane", "send").sqsFifo }).toEqual(sent.take());
    await lane.sendLater("gpu", 5);
    expect(said("lane", "sendLater")).toEqual(sent.take());
    await sqsSealQueue(sqs, url).send(attempt);
    expect(said("sealAgain", "send")).toEqual(sent.take());
    await sqsShardQueue(sqs, url).send({ team: "vision", dataset: "d" });
    expect(said("shardQueue", "send")).toEqual(sent.take());
    await sqsOutboxQueue(sqs, { queueUrl: url, bucket: "incoming" }).send({ ...attempt, role: "AROA", node: "i-0123456789abcdef0" });
    expect(said("outboxQueue", "send")).toEqual(sent.take());
  });

  test("records of decisions", async () => {
    const Bucket = unique("decisions");
    await s3.send(new CreateBucketCommand({ Bucket }));
    sent.forget();
    await s3Journal(s3, Bucket).record(aDecision());
    expect(said("journal", "record")).toEqual(sent.take());
  });

  test("sealing", async () => {
    const its = stage.overTheWire();
    const attempt = anAttempt();
    const file = await upload(its, attempt, "model.txt", Buffer.from("weights"));
    await its.putIncoming(manifestKey(attempt), Buffer.from(JSON.stringify(manifestOf(attempt, { "model.txt": "weights" }))));
    sent.forget();
    const { artifacts } = its;
    const before = await artifacts.sealedList(attempt);
    expect(before).toBeUndefined();
    expect(said("artifacts", "sealedList", before)).toEqual(sent.take());
    const uploaded = await artifacts.uploaded(attempt);
    expect(said("artifacts", "uploaded", uploaded)).toEqual(sent.take());
    const sealed = await artifacts.seal(attempt, file);
    expect(sealed.kind).toBe("sealed");
    expect(said("artifacts", "seal", sealed)).toEqual(sent.take());
    if (!uploaded || sealed.kind !== "sealed") throw new Error("nothing was sealed");
    await artifacts.sealList(sealedManifest(attempt, uploaded, { sealed: [sealed.artifact], lost: [], atMs: 0 }));
    expect(said("artifacts", "sealList")).toEqual(sent.take());
    const list = await artifacts.sealedList(attempt);
    expect(said("artifacts", "sealedList", list)).toEqual(sent.take());
    await kmsOutboxKeys(stage.kms, stage.keyAliasPrefix).generate({ ...attempt, node: "i-0123456789abcdef0" });
    expect(said("outboxKeys", "generate")).toEqual(sent.take());
  });
});
