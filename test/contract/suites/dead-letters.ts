import { describe, expect, test } from "vitest";
import { type DeadQueue, deadQueues } from "../../../lib/model/letters/dead-letter.ts";
import type { DeadLetters } from "../../../lib/ports/queues/dead-letters.ts";

export type DeadLettersStage = {
  readonly deadLetters: DeadLetters;
  /** Puts a letter into a dead-letter queue. */
  put(of: DeadQueue, body: string): Promise<void>;
  /** Returns the messages that were sent back to the queue of these letters. */
  sent(of: DeadQueue): Promise<readonly string[]>;
};

const queueNamed = (name: string): DeadQueue => {
  const found = deadQueues(["vision"]).find((queue) => queue.name === name);
  if (!found) throw new Error(`there is no queue ${name}`);
  return found;
};
export const [jobs, lane, seal] = [queueNamed("jobs-vision"), queueNamed("lane"), queueNamed("seal")];

/** `make` must return empty queues of the jobs of team vision and of the lane each time, and no queue for uploads. */
export function deadLettersContract(name: string, make: () => Promise<DeadLettersStage>): void {
  describe(`dead letters: ${name}`, () => {
    test("a look hides no letter, and each look counts as a receipt", async () => {
      const stage = await make();
      await stage.put(jobs, "one");
      const [first, second] = [await stage.deadLetters.look(jobs), await stage.deadLetters.look(jobs)];
      expect([first[0]?.body, second[0]?.body]).toEqual(["one", "one"]);
      expect(second[0]?.id).toBe(first[0]?.id);
      expect(second[0]?.received).toBe((first[0]?.received ?? 0) + 1);
      expect(Math.abs((first[0]?.sentAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(await stage.deadLetters.take(jobs, 10)).toHaveLength(1);
    });

    test("a letter that was taken is counted, but no other receiver gets it", async () => {
      const stage = await make();
      for (const body of ["one", "two", "three"]) await stage.put(jobs, body);
      const taken = await stage.deadLetters.take(jobs, 2);
      expect(taken).toHaveLength(2);
      expect(await stage.deadLetters.count(jobs)).toBe(3);
      const others = await stage.deadLetters.take(jobs, 10);
      expect([...taken, ...others].map(({ body }) => body).toSorted()).toEqual(["one", "three", "two"]);
      expect(await stage.deadLetters.look(jobs)).toEqual([]);
      expect(await stage.deadLetters.take(jobs, 10)).toEqual([]);
    });

    test("at most ten letters are looked at or taken at a time", async () => {
      const stage = await make();
      for (let n = 0; n < 12; n += 1) await stage.put(jobs, `letter ${n}`);
      expect(await stage.deadLetters.look(jobs)).toHaveLength(10);
      expect(await stage.deadLetters.take(jobs, 100)).toHaveLength(10);
      expect(await stage.deadLetters.take(jobs, 100)).toHaveLength(2);
    });

    test("a message that is sent reaches the queue of the letters, and a letter that is deleted is gone", async () => {
      const stage = await make();
      await stage.put(jobs, "one");
      const [letter] = await stage.deadLetters.take(jobs, 1);
      if (!letter) throw new Error("nothing was taken");
      await stage.deadLetters.send(jobs, letter.body);
      expect(await stage.deadLetters.count(jobs)).toBe(1);
      await stage.deadLetters.delete(jobs, letter);
      expect(await stage.deadLetters.count(jobs)).toBe(0);
      expect(await stage.sent(jobs)).toEqual(["one"]);
    });

    test("the letters of a FIFO queue can be taken and deleted, several of a pool at once", async () => {
      const stage = await make();
      for (const body of ["one", "two"]) await stage.put(lane, body);
      expect(await stage.deadLetters.look(lane)).toHaveLength(2);
      const taken = await stage.deadLetters.take(lane, 10);
      expect(taken.map(({ body }) => body)).toEqual(["one", "two"]);
      for (const letter of taken) await stage.deadLetters.delete(lane, letter);
      expect(await stage.deadLetters.count(lane)).toBe(0);
    });

    test("a queue that does not exist has no number of letters, not even zero", async () => {
      const stage = await make();
      expect(await stage.deadLetters.count(seal)).toBeUndefined();
    });
  });
}
