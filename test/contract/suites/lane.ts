import { describe, expect, test } from "vitest";
import type { Lane } from "../../../lib/ports/bell.ts";

/** A message that is in flight: nobody else gets it, nor another one of its pool, until it is done. */
export type Received = { readonly pool: string; done(): void | Promise<void> };

export type LaneStage = {
  readonly lane: Lane;
  /** The next message of the lane; undefined when there is none to be had now. */
  receive(): Promise<Received | undefined>;
  /** Pools whose messages on `later` are due now. */
  due(): Promise<readonly string[]>;
};

/** `make` gives empty queues each time. */
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

    test("every ring is a message of its own", async () => {
      const stage = await make();
      for (const pool of ["gpu", "gpu", "cpu", "gpu"]) await stage.lane.send(pool);
      expect((await drained(stage)).sort()).toEqual(["cpu", "gpu", "gpu", "gpu"]);
    });

    test("a pool's messages come one at a time, and another pool does not wait for them", async () => {
      const stage = await make();
      for (const pool of ["gpu", "gpu", "cpu"]) await stage.lane.send(pool);
      const first = await stage.receive();
      const second = await stage.receive();
      expect([first?.pool, second?.pool]).toEqual(["gpu", "cpu"]);
      expect(await stage.receive()).toBeUndefined();
      await first?.done();
      expect((await stage.receive())?.pool).toBe("gpu");
    });

    test("what is for later comes later", async () => {
      const stage = await make();
      await stage.lane.sendLater("gpu", 0);
      await stage.lane.sendLater("cpu", 600);
      expect(await stage.due()).toEqual(["gpu"]);
      expect(await stage.receive()).toBeUndefined();
    });

    test("any delay is taken: past ones mean now, long ones a quarter of an hour", async () => {
      const stage = await make();
      await stage.lane.sendLater("gpu", -5);
      await stage.lane.sendLater("cpu", 86_400);
      await stage.lane.sendLater("old", 0.2);
      expect(await stage.due()).toEqual(["gpu"]);
    });
  });
}
