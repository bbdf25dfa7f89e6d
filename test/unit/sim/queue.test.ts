import { describe, expect, test } from "vitest";
import { Chance } from "../../../lib/sim/faults/chance.ts";
import { type FaultKind, Faults, faultKinds, type Rates } from "../../../lib/sim/faults/faults.ts";
import { SimClock } from "../../../lib/sim/world/clock.ts";
import { type Handled, SimQueue } from "../../../lib/sim/world/queue.ts";

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Returns a queue whose handler returns the given results, with what the handler received. */
function stage(of: { fifo?: boolean; rates?: Partial<Rates>; results?: readonly Handled[]; takesMs?: number } = {}) {
  const clock = new SimClock(0);
  const rates = Object.fromEntries(faultKinds.map((kind) => [kind, of.rates?.[kind] ?? 0])) as Record<FaultKind, number>;
  const faults = new Faults({ rates, chance: new Chance("1") }, () => undefined);
  const given: { readonly bodies: readonly string[]; readonly atMs: number }[] = [];
  const under = { way: 0, most: 0 };
  const results = [...(of.results ?? [])];
  const queue = new SimQueue<string>(
    { clock, faults },
    {
      name: "q",
      visibilityMs: 30_000,
      ...(of.fifo ? { group: (body: string) => body[0] ?? "" } : {}),
      handle: async (bodies) => {
        given.push({ bodies, atMs: clock.nowMs });
        under.way += 1;
        under.most = Math.max(under.most, under.way);
        await new Promise<void>((resolve) => void clock.after(of.takesMs ?? 10, resolve));
        under.way -= 1;
        return results.shift() ?? "done";
      },
    },
  );
  const passUntil = async (untilMs: number): Promise<void> => {
    while (clock.nextMs !== undefined && clock.nextMs <= untilMs) {
      clock.step();
      await settled();
    }
  };
  return { clock, queue, faults, given, under, passUntil };
}

describe("a queue in virtual time", () => {
  test("a queue without faults delivers a message once, after its delay", async () => {
    const { queue, given, passUntil } = stage();
    queue.send("a", 5_000);
    expect(queue.isEmpty).toBe(false);
    await passUntil(600_000);
    expect(given.map(({ bodies }) => bodies)).toEqual([["a"]]);
    expect(given[0]?.atMs).toBeGreaterThanOrEqual(5_000);
    expect(queue.isEmpty).toBe(true);
  });

  test.each(["failed", "died"] as const)("a message whose handler %s is delivered again when its visibility timeout ends", async (how) => {
    const { queue, given, passUntil } = stage({ results: [how] });
    queue.send("a");
    await passUntil(600_000);
    expect(given).toHaveLength(2);
    expect((given[1]?.atMs ?? 0) - (given[0]?.atMs ?? 0)).toBe(30_000);
    expect(queue.isEmpty).toBe(true);
  });

  test("a message that failed five times stays among the dead letters until it is redriven", async () => {
    const { queue, given, passUntil } = stage({ results: ["failed", "failed", "failed", "failed", "failed"] });
    queue.send("a");
    await passUntil(600_000);
    expect(given).toHaveLength(5);
    expect(queue.isEmpty).toBe(true);
    expect(queue.redrive()).toBe(1);
    await passUntil(1_200_000);
    expect(given).toHaveLength(6);
    expect(queue.redrive()).toBe(0);
  });

  test("a FIFO queue delivers one batch per group at a time, and different groups in parallel", async () => {
    const { queue, given, under, passUntil } = stage({ fifo: true, takesMs: 1_000 });
    for (const body of ["a1", "a2", "b1"]) queue.send(body);
    await passUntil(500);
    queue.send("a3");
    await passUntil(900);
    expect(given.filter(({ bodies }) => bodies[0]?.startsWith("a"))).toHaveLength(1);
    expect(under.most).toBe(2);
    await passUntil(60_000);
    expect(given.flatMap(({ bodies }) => bodies).toSorted()).toEqual(["a1", "a2", "a3", "b1"]);
  });

  test("a group of a FIFO queue gets its next message as soon as the last one is handled, not when its visibility timeout ends", async () => {
    const { queue, given, passUntil } = stage({ fifo: true, takesMs: 1_000 });
    queue.send("a1");
    await passUntil(500);
    queue.send("a2");
    await passUntil(5_000);
    expect(given.flatMap(({ bodies }) => bodies)).toEqual(["a1", "a2"]);
  });

  test.each([
    ["sqs.duplicate", 2],
    ["sqs.drop", 0],
    ["sqs.delay", 1],
  ] as const)("with the fault %s a message is delivered %d times, and the fault is counted", async (kind, times) => {
    const { queue, given, faults, passUntil } = stage({ rates: { [kind]: 1 } });
    queue.send("a");
    await passUntil(100_000);
    expect(given).toHaveLength(times);
    expect(faults.counts.get(kind)).toBeGreaterThan(0);
  });

  test("two handlers run for one group if the visibility timeout of a message lapses", async () => {
    const { queue, under, faults, passUntil } = stage({ fifo: true, takesMs: 16_000, rates: { "sqs.lapse": 1 } });
    queue.send("a");
    await passUntil(20_000);
    expect(under.most).toBeGreaterThan(1);
    expect(faults.counts.get("sqs.lapse")).toBeGreaterThan(0);
  });
});
