import { describe, expect, test } from "vitest";
import type { Lane } from "../../../lib/ports/bell.ts";

/** A message in flight. Until it is done, no receiver gets it or another message of its pool. */
export type Received = { readonly pool: string; done(): void | Promise<void> };

export type LaneStage = {
  readonly lane: Lane;
  /** Returns the next message of the lane, or undefined if none is available now. */
  receive(): Promise<Received | undefined>;
  /** Returns the pools whose messages on `later` are due now. */
  due(): Promise<readonly string[]>;
};

/** `make` must return empty queues each time. */
export function laneContract(name: string, make: () => Promise<LaneStage>): void {
  describe(`lane: ${name}`, () => {
    const drained = async (stage: LaneStage): Promise<string[]> => {
      const pools: string[] = [];
      for (let next = await stage.receive(); next; next = await stage.receive()) {
        pools.push(next.pool);
        await next.done();
      }
      return pools;
    };

    test("every send is a separate message", async () => {
      const stage = await make();
      for (const pool of ["gpu", "gpu", "cpu", "gpu"]) await stage.lane.send(pool);
      expect((await drained(stage)).sort()).toEqual(["cpu", "gpu", "gpu", "gpu"]);
    });

    test("a message that is wanted once is delivered once, to each pool, and other messages are not dropped", async () => {
      const stage = await make();
      for (const once of ["a", "a", undefined, "b"]) await stage.lane.send("gpu", once);
      await stage.lane.send("cpu", "a");
      expect((await drained(stage)).sort()).toEqual(["cpu", "gpu", "gpu", "gpu"]);
      await stage.lane.send("gpu", "a");
      expect(await drained(stage), "although the first one was handled").toEqual([]);
    });

    test("a pool's messages are delivered one at a time, and another pool does not wait for them", async () => {
      const stage = await make();
      for (const pool of ["gpu", "gpu", "cpu"]) await stage.lane.send(pool);
      const first = await stage.receive();
      const second = await stage.receive();
      expect([first?.pool, second?.pool]).toEqual(["gpu", "cpu"]);
      expect(await stage.receive()).toBeUndefined();
      await first?.done();
      expect((await stage.receive())?.pool).toBe("gpu");
    });

    test("a delayed message is not due at once", async () => {
      const stage = await make();
      await stage.lane.sendLater("gpu", 0);
      await stage.lane.sendLater("cpu", 600);
      expect(await stage.due()).toEqual(["gpu"]);
      expect(await stage.receive()).toBeUndefined();
    });

    test("any delay is accepted: a negative one means now, and a long one means 15 minutes", async () => {
      const stage = await make();
      await stage.lane.sendLater("gpu", -5);
      await stage.lane.sendLater("cpu", 86_400);
      await stage.lane.sendLater("old", 0.2);
      expect(await stage.due()).toEqual(["gpu"]);
    });
  });
}
