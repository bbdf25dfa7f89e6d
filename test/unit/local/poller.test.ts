import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { batchOutcome } from "../../../lib/local/lambda/batch-outcome.ts";
import { type BatchOutcome, type Poller, type QueueMessage, type QueueReader, startPoller } from "../../../lib/local/lambda/poller.ts";
import { batchesAtOnce } from "../../../lib/local/lambda/wires.ts";
import { expectLine } from "../../fakes/log-lines.ts";

/** A FIFO queue like SQS's: a group is held back while one of its messages is in progress. */
class FifoQueue implements QueueReader {
  readonly deleted: string[] = [];
  readonly #visibilityMs: number;
  readonly #messages: { id: string; group: string; body: string; visibleAt: number }[] = [];

  constructor(visibilityMs = 60) {
    this.#visibilityMs = visibilityMs;
  }

  send(group: string, id: string, body = id): void {
    this.#messages.push({ id, group, body, visibleAt: 0 });
  }

  async receive({ max, signal }: { max: number; signal: AbortSignal }): Promise<readonly QueueMessage[]> {
    for (let tries = 0; tries < 40 && !signal.aborted; tries++) {
      const taken = this.#take(max);
      if (taken.length > 0) return taken;
      await sleep(3);
    }
    return [];
  }

  #take(max: number): QueueMessage[] {
    const now = performance.now();
    const held = new Set(this.#messages.filter((message) => message.visibleAt > now).map((message) => message.group));
    const taken = this.#messages.filter((message) => !held.has(message.group)).slice(0, max);
    for (const message of taken) message.visibleAt = now + this.#visibilityMs;
    return taken.map(({ id, body, group }) => ({ messageId: id, receiptHandle: id, body, group }));
  }

  async delete(messages: readonly QueueMessage[]): Promise<void> {
    for (const { messageId } of messages) {
      this.#messages.splice(
        this.#messages.findIndex((message) => message.id === messageId),
        1,
      );
      this.deleted.push(messageId);
    }
  }
}

let poller: Poller | undefined;
afterEach(() => poller?.close());

const poll = (
  queue: QueueReader,
  handle: (batch: readonly QueueMessage[]) => Promise<BatchOutcome>,
  more: { batchSize?: number; windowMs?: number; concurrency?: number } = {},
) => {
  poller = startPoller({ queue, batchSize: 10, windowMs: 0, concurrency: 10, log: expectLine, handle, ...more });
};
const fine: BatchOutcome = { failed: new Set() };
const until = async (holds: () => boolean): Promise<void> => {
  for (const give = performance.now() + 3_000; !holds(); await sleep(5)) if (performance.now() > give) throw new Error("it never came");
};

describe("the poller of a FIFO queue", () => {
  it("the poller of a FIFO queue handles a group's messages in order and different groups in parallel", async () => {
    const queue = new FifoQueue(1_000);
    for (let n = 0; n < 4; n++) for (const group of ["a", "b"]) queue.send(group, `${group}${n}`);
    const busy = new Map<string, number>();
    const seen: Record<string, string[]> = { a: [], b: [] };
    let together = 0;
    poll(
      queue,
      async ([message]) => {
        const group = String(message?.["group"]);
        busy.set(group, (busy.get(group) ?? 0) + 1);
        expect(busy.get(group)).toBe(1);
        together = Math.max(together, [...busy.values()].filter((count) => count > 0).length);
        await sleep(10);
        seen[group]?.push(message?.messageId ?? "");
        busy.set(group, 0);
        return fine;
      },
      { batchSize: 1 },
    );
    await until(() => queue.deleted.length === 8);
    expect(seen).toEqual({ a: ["a0", "a1", "a2", "a3"], b: ["b0", "b1", "b2", "b3"] });
    expect(together).toBe(2);
  });

  it("the poller of a FIFO queue deletes handled messages, and failed ones are received again after their visibility timeout", async () => {
    const queue = new FifoQueue(50);
    for (const id of ["a0", "a1", "a2"]) queue.send("a", id);
    const batches: string[][] = [];
    poll(queue, async (batch) => {
      batches.push(batch.map((message) => message.messageId));
      return batches.length === 1 ? { failed: new Set(["a1", "a2"]) } : fine;
    });
    await until(() => queue.deleted.length === 3);
    expect(batches).toEqual([
      ["a0", "a1", "a2"],
      ["a1", "a2"],
    ]);
    expect(queue.deleted).toEqual(["a0", "a1", "a2"]);
  });

  it("the poller of a FIFO queue deletes nothing of a batch that failed as a whole or whose handler threw", async () => {
    const queue = new FifoQueue(30);
    queue.send("a", "a0");
    let tries = 0;
    poll(queue, async () => {
      tries += 1;
      if (tries === 1) return { failed: "all" };
      if (tries === 2) throw new Error("no function");
      return fine;
    });
    await until(() => queue.deleted.length === 1);
    expect(tries).toBe(3);
  });
});

describe("the poller of any queue", () => {
  it("a poller has no more batches in progress than its concurrency allows", async () => {
    const queue = new FifoQueue(5_000);
    for (let n = 0; n < 12; n++) queue.send(`g${n}`, `m${n}`);
    let inHand = 0;
    let most = 0;
    poll(
      queue,
      async () => {
        most = Math.max(most, ++inHand);
        await sleep(8);
        inHand -= 1;
        return fine;
      },
      { batchSize: 1, concurrency: 3 },
    );
    await until(() => queue.deleted.length === 12);
    expect(most).toBe(3);
  });

  it("a poller receives nothing while it has no place for another batch, so that others can", async () => {
    const queue = new FifoQueue(5_000);
    for (let n = 0; n < 3; n++) queue.send(`g${n}`, `m${n}`);
    let end: () => void = () => undefined;
    let begun = 0;
    const handle = (): Promise<BatchOutcome> => {
      begun += 1;
      return new Promise((resolve) => {
        end = () => resolve(fine);
      });
    };
    poll(queue, handle, { batchSize: 1, concurrency: 1 });
    await until(() => begun === 1);
    await sleep(20);
    const elsewhere = await queue.receive({ max: 10, signal: new AbortController().signal });
    expect(elsewhere.map(({ body }) => body)).toEqual(["m1", "m2"]);
    await queue.delete(elsewhere);
    end();
    await until(() => queue.deleted.length === 3);
  });

  it("a poller that splits what it received still has no more batches in progress than its concurrency allows", async () => {
    const queue = new FifoQueue(5_000);
    for (let n = 0; n < 10; n++) queue.send(`g${n}`, `m${n}`, "x".repeat(3 * 1024 * 1024));
    let inHand = 0;
    let most = 0;
    const handle = async (): Promise<BatchOutcome> => {
      most = Math.max(most, ++inHand);
      await sleep(8);
      inHand -= 1;
      return fine;
    };
    poll(queue, handle, { concurrency: 2 });
    await until(() => queue.deleted.length === 10);
    expect(most).toBe(2);
  });

  it("a poller runs as many batches as its mapping allows, but no more than this machine can run", () => {
    const [standard, fifo] = ["arn:aws:sqs:us-east-1:000000000000:seal", "arn:aws:sqs:us-east-1:000000000000:lane.fifo"];
    expect(batchesAtOnce({ queueArn: standard, maximumConcurrency: 2 })).toBe(2);
    expect(batchesAtOnce({ queueArn: fifo, maximumConcurrency: 2 })).toBe(2);
    expect(batchesAtOnce({ queueArn: standard, maximumConcurrency: 50 })).toBe(5);
    expect(batchesAtOnce({ queueArn: standard })).toBe(5);
    expect(batchesAtOnce({ queueArn: fifo })).toBe(10);
  });

  it("a poller splits a batch that is too large for one invocation", async () => {
    const queue = new FifoQueue(5_000);
    for (let n = 0; n < 10; n++) queue.send(`g${n}`, `m${n}`, "x".repeat(1024 * 1024));
    const sizes: number[] = [];
    poll(queue, async (batch) => {
      sizes.push(batch.length);
      return fine;
    });
    await until(() => queue.deleted.length === 10);
    expect(sizes).toEqual([5, 5]);
  });

  it("a poller gathers messages into a batch until it is full or its window is over", async () => {
    const queue = new FifoQueue(5_000);
    const batches: string[][] = [];
    queue.send("a", "a0");
    setTimeout(() => queue.send("b", "b0"), 10);
    setTimeout(() => queue.send("c", "c0"), 20);
    const handle = async (batch: readonly QueueMessage[]) => {
      batches.push(batch.map(({ messageId }) => messageId));
      return fine;
    };
    poll(queue, handle, { batchSize: 3, windowMs: 60_000 });
    await until(() => queue.deleted.length === 3);
    await poller?.close();
    queue.send("d", "d0");
    setTimeout(() => queue.send("e", "e0"), 10);
    poll(queue, handle, { batchSize: 3, windowMs: 60 });
    await until(() => queue.deleted.length === 5);
    expect(batches).toEqual([
      ["a0", "b0", "c0"],
      ["d0", "e0"],
    ]);
  });

  it("a poller waits for a first message as long as SQS allows, and for more only until its window is over", async () => {
    const asked: { max: number; waitSeconds: number }[] = [];
    let left = 2;
    const queue: QueueReader = {
      receive: async ({ max, waitSeconds, signal }) => {
        asked.push({ max, waitSeconds });
        left -= 1;
        if (left < 0) await sleep(60_000, undefined, { signal }).catch(() => undefined);
        return left < 0 ? [] : [{ messageId: `m${left}`, receiptHandle: "r", body: "" }];
      },
      delete: async () => undefined,
    };
    poll(queue, async () => fine, { batchSize: 20, windowMs: 2_900 });
    await until(() => asked.length === 3);
    expect(asked).toEqual([
      { max: 10, waitSeconds: 20 },
      { max: 10, waitSeconds: 3 },
      { max: 10, waitSeconds: 3 },
    ]);
  });

  it("a poller goes on after its queue could not be read, and ends when it is closed", async () => {
    const queue = new FifoQueue();
    queue.send("a", "a0");
    let broken = true;
    const lines: unknown[] = [];
    poller = startPoller({
      queue: {
        receive: async (options) => {
          if (broken) {
            broken = false;
            throw new Error("connection reset");
          }
          return queue.receive(options);
        },
        delete: (messages) => queue.delete(messages),
      },
      batchSize: 10,
      windowMs: 0,
      concurrency: 1,
      log: (line) => {
        expectLine(line);
        lines.push(line);
      },
      handle: async () => fine,
    });
    await until(() => queue.deleted.length === 1);
    expect(lines).toEqual([{ message: "queue not read", error: new Error("connection reset") }]);
    await poller.close();
    queue.send("a", "a1");
    await sleep(30);
    expect(queue.deleted).toEqual(["a0"]);
  });
});

describe("a function's response to a batch", () => {
  const batch = { messageIds: ["a", "b"], partialFailures: true };
  const failedIn = (payload: unknown) => batchOutcome({ kind: "returned", payload }, batch).failed;
  it("a list of failed messages fails exactly those messages", () => {
    expect(failedIn({ batchItemFailures: [{ itemIdentifier: "b" }] })).toEqual(new Set(["b"]));
    for (const nothing of [null, {}, { batchItemFailures: null }, { batchItemFailures: [] }]) expect(failedIn(nothing)).toEqual(new Set());
  });
  it("an error, or a list that cannot be parsed or names unknown messages, fails the whole batch", () => {
    for (const strange of [
      { batchItemFailures: [{ itemIdentifier: "c" }] },
      { batchItemFailures: [{ itemIdentifier: "" }] },
      { batchItemFailures: [{}] },
      "x",
    ])
      expect(failedIn(strange)).toBe("all");
    expect(batchOutcome({ kind: "failed", error: { errorType: "E", errorMessage: "m" } }, batch).failed).toBe("all");
  });
  it("a function that does not report failures per message needs to return no list", () => {
    expect(batchOutcome({ kind: "returned", payload: "x" }, { ...batch, partialFailures: false }).failed).toEqual(new Set());
  });
});
