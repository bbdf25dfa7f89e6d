import { describe, expect, test } from "vitest";
import { Chance } from "../../../lib/sim/faults/chance.ts";
import { type FaultKind, Faults, faultKinds, type Rates } from "../../../lib/sim/faults/faults.ts";
import { Outages } from "../../../lib/sim/faults/outages.ts";
import { SimClock } from "../../../lib/sim/world/clock.ts";
import type { Handlers } from "../../../lib/sim/world/handlers.ts";
import { type Handled, inGroups, SimQueue } from "../../../lib/sim/world/queue.ts";
import { queuesOf } from "../../../lib/sim/world/wires.ts";

const outages = new Outages([], () => 0);

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

type Stage = {
  readonly fifo?: boolean;
  readonly mixes?: Chance;
  readonly rates?: Partial<Rates>;
  readonly results?: readonly Handled[];
  /** A message that fails when it is delivered first, without the others of its batch. */
  readonly fails?: string;
  readonly takesMs?: number;
};

function quiet(given: Partial<Rates> = {}) {
  const clock = new SimClock(0);
  const rates = Object.fromEntries(faultKinds.map((kind) => [kind, given[kind] ?? 0])) as Record<FaultKind, number>;
  const faults = new Faults({ rates, chance: new Chance("1") }, () => undefined);
  const passUntil = async (untilMs: number): Promise<void> => {
    while (clock.nextMs !== undefined && clock.nextMs <= untilMs) {
      clock.step();
      await settled();
    }
  };
  return { clock, faults, passUntil };
}

/** Returns a queue whose handler returns the given results, with what the handler received. */
function stage(of: Stage = {}) {
  const { clock, faults, passUntil } = quiet(of.rates);
  const given: { readonly bodies: readonly string[]; readonly atMs: number }[] = [];
  const under = { way: 0, most: 0 };
  const results = [...(of.results ?? [])];
  const queue = new SimQueue<string>(
    { clock, faults, outages },
    {
      name: "later",
      visibilityMs: 30_000,
      ...(of.fifo && { group: groupOf }),
      ...(of.mixes && { mixes: of.mixes }),
      handle: async (bodies) => {
        given.push({ bodies, atMs: clock.nowMs });
        under.way += 1;
        under.most = Math.max(under.most, under.way);
        await new Promise<void>((resolve) => void clock.after(of.takesMs ?? 10, resolve));
        under.way -= 1;
        const isFirst = given.filter((each) => of.fails !== undefined && each.bodies.includes(of.fails)).length === 1;
        return isFirst ? bodies.map((body) => (body === of.fails ? "failed" : "done")) : (results.shift() ?? "done");
      },
    },
  );
  return { clock, queue, faults, given, under, passUntil };
}

const groupOf = (body: string): string => body[0] ?? "";
const groupsIn = (bodies: readonly string[]): number => new Set(bodies.map(groupOf)).size;

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

  test("a message whose handler died is delivered again when its visibility timeout ends", async () => {
    const { queue, given, passUntil } = stage({ results: ["died"] });
    queue.send("a");
    await passUntil(600_000);
    expect(given).toHaveLength(2);
    expect((given[1]?.atMs ?? 0) - (given[0]?.atMs ?? 0)).toBe(30_000);
    expect(queue.isEmpty).toBe(true);
  });

  test("a message whose handler failed is delivered again after pauses that grow to a minute", async () => {
    const { queue, given, passUntil } = stage({ results: ["failed", "failed", "failed", "failed"], takesMs: 0 });
    queue.send("a");
    await passUntil(600_000);
    const pauses = given.slice(1).map(({ atMs }, n) => atMs - (given[n]?.atMs ?? 0));
    for (const [n, most] of [5_000, 30_000, 60_000, 60_000].entries()) {
      expect(pauses[n]).toBeGreaterThan(0.89 * most);
      expect(pauses[n]).toBeLessThanOrEqual(most + 100);
    }
    expect(queue.isEmpty).toBe(true);
  });

  test("a message that failed for twelve hours stays among the dead letters until it is redriven", async () => {
    const { queue, given, passUntil } = stage({ results: Array.from({ length: 5_000 }, () => "failed") });
    queue.send("a");
    await passUntil(12 * 3_600_000);
    expect(queue.isEmpty).toBe(false);
    await passUntil(14 * 3_600_000);
    expect(queue.isEmpty).toBe(true);
    const before = given.length;
    expect(queue.redrive()).toBe(1);
    await passUntil(15 * 3_600_000);
    expect(given.length).toBeGreaterThan(before);
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

describe("a queue that mixes groups", () => {
  const sent = Array.from({ length: 12 }, (_, n) => ["a", "b", "c"].map((group) => `${group}${String(n).padStart(2, "0")}`)).flat();

  test("a batch has at most ten messages, of several groups if several wait, and each group's are in order", async () => {
    const { queue, given, passUntil } = stage({ fifo: true, mixes: new Chance("3") });
    for (const body of sent) queue.send(body);
    await passUntil(600_000);
    const batches = given.map(({ bodies }) => bodies);
    expect(Math.max(...batches.map((bodies) => bodies.length))).toBeGreaterThan(1);
    expect(Math.max(...batches.map((bodies) => bodies.length))).toBeLessThanOrEqual(10);
    expect(batches.some((bodies) => groupsIn(bodies) > 1)).toBe(true);
    for (const group of ["a", "b", "c"])
      expect(batches.flat().filter((body) => groupOf(body) === group)).toEqual(sent.filter((body) => groupOf(body) === group));
  });

  test("without groups a batch has messages of all, too, and each is delivered once", async () => {
    const { queue, given, passUntil } = stage({ mixes: new Chance("3") });
    for (const body of sent) queue.send(body);
    await passUntil(600_000);
    expect(given.some(({ bodies }) => groupsIn(bodies) > 1)).toBe(true);
    expect(given.flatMap(({ bodies }) => bodies).toSorted()).toEqual(sent.toSorted());
  });

  test("a message that failed keeps back its group until it is delivered again, but no other group", async () => {
    const { queue, given, passUntil } = stage({ fifo: true, mixes: new Chance("6"), fails: "a1" });
    for (const body of ["a1", "b1"]) queue.send(body);
    await passUntil(20_000);
    expect(given.some(({ bodies }) => groupsIn(bodies) > 1)).toBe(true);
    for (const body of ["a2", "b2"]) queue.send(body);
    await passUntil(600_000);
    const delivered = given.flatMap(({ bodies }) => bodies);
    expect(delivered.filter((body) => groupOf(body) === "a")).toEqual(["a1", "a1", "a2"]);
    expect(delivered.filter((body) => groupOf(body) === "b")).toEqual(["b1", "b2"]);
    expect(queue.isEmpty).toBe(true);
  });

  test("all messages of a batch whose handler dies are delivered again", async () => {
    const { queue, given, passUntil } = stage({ mixes: new Chance("4"), results: ["died"] });
    for (const body of ["a1", "b1"]) queue.send(body);
    await passUntil(600_000);
    const times = Map.groupBy(
      given.flatMap(({ bodies }) => bodies),
      (body) => body,
    );
    for (const body of given[0]?.bodies ?? []) expect(times.get(body)).toHaveLength(2);
    expect(queue.isEmpty).toBe(true);
  });
});

describe("a batch that is handled in groups", () => {
  test("the rest of a group fails after a message that fails, and other groups go on", async () => {
    const handled: string[] = [];
    const results = await inGroups(["a1", "b1", "a2", "b2", "a3"], groupOf, async (body) => {
      handled.push(body);
      if (body === "a2") throw new Error("no");
    });
    expect(results).toEqual(["done", "done", "failed", "done", "failed"]);
    expect(handled).not.toContain("a3");
  });

  test("without groups, one message that fails holds up no other", async () => {
    const results = await inGroups(["a1", "a2", "a3"], undefined, async (body) => {
      if (body === "a1") throw new Error("no");
    });
    expect(results).toEqual(["failed", "done", "done"]);
  });
});

test("the jobs queue delivers jobs of several teams in one batch, in the order of each team in some runs", async () => {
  const ordered = new Set<boolean>();
  let mixed = 0;
  for (const seed of ["1", "2", "3", "4", "5", "6"]) {
    const { clock, faults, passUntil } = quiet();
    const batches: (readonly string[])[] = [];
    const submit: Handlers["submit"] = async (batch, group) => {
      batches.push(batch.map(({ team }) => team));
      ordered.add(group !== undefined);
      return batch.map(() => "done");
    };
    const { jobs } = queuesOf({ clock, faults, outages, chance: new Chance(seed) }, () => ({ submit }) as Handlers);
    for (let n = 0; n < 40; n += 1)
      for (const team of ["vision", "speech"]) jobs.send({ team, body: "{}", messageId: `${team}-${n}`, sentAtMs: 0 });
    await passUntil(60_000);
    expect(batches.flat()).toHaveLength(80);
    mixed += batches.filter((teams) => new Set(teams).size > 1).length;
  }
  expect(mixed).toBeGreaterThan(20);
  expect(ordered).toEqual(new Set([true, false]));
});
