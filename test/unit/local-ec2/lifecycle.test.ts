import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultBehaviour, type Ec2Behaviour } from "../../../lib/local/ec2/behaviour/behaviour.ts";
import type { InstanceFacts } from "../../../lib/local/ec2/instances/instance.ts";
import { createLifecycle } from "../../../lib/local/ec2/instances/lifecycle.ts";
import type { InstanceChange } from "../../../lib/local/ec2/instances/state-events.ts";
import { readXml } from "../../../lib/local/ec2/moto/xml-document.ts";
import { createCapacity } from "../../../lib/local/ec2/offers/capacity.ts";
import { createIdentities } from "../../../lib/local/requests/identities.ts";
import { expectLine, type Logged } from "../../fakes/log-lines.ts";
import { instanceFacts } from "./instance-facts.ts";

let folder: string;
const closing: (() => Promise<void>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-lifecycle-"));
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await rm(folder, { recursive: true, force: true });
});

const quick: Partial<Ec2Behaviour> = { pendingMs: 1, bootMs: { min: 0, max: 0 }, shutdownMs: 1 };

/** A life cycle of instances on which nothing runs. `forget`: what the watchdog does when an instance has ended. */
function stage(over: Partial<Ec2Behaviour> = {}, draws = 0.5, forget: () => void = () => undefined) {
  const clock = { nowMs: 1_000 };
  const lines: Logged[] = [];
  const events: string[] = [];
  const behaviour = { ...defaultBehaviour, ...quick, ...over };
  const capacity = createCapacity({ "g5.xlarge/us-east-1a/spot": 2 });
  const log = (line: Logged) => {
    expectLine(line);
    lines.push(line);
  };
  const lifecycle = createLifecycle({
    behaviour,
    capacity,
    events: {
      emit: ({ id }, news: InstanceChange) => void events.push(`${id} ${news.kind}${news.kind === "state" ? ` ${news.state}` : ""}`),
      settled: async () => undefined,
    },
    room: {
      moto: { pass: () => Promise.reject(new Error("not passed on")), call: async () => readXml("<r></r>") },
      identities: createIdentities(),
      watchdog: { watch: () => undefined, forget, close: () => undefined },
      endpoint: "http://127.0.0.1:9",
      behaviour,
      roleOfProfile: (profile) => profile,
      log,
    },
    stateFolder: folder,
    draw: () => draws,
    now: () => clock.nowMs,
    log,
  });
  closing.push(() => lifecycle.close());
  const begin = (over: Partial<InstanceFacts> = {}) => {
    const made = { ...instanceFacts, ...over };
    capacity.hold(made);
    lifecycle.begin(made);
    return made.id;
  };
  const runs = async (id: string) => {
    await expect.poll(() => lifecycle.state(id)).toBe("running");
    await expect.poll(() => lines.some((line) => line.message === "instance runs nothing" && line["instance"] === id)).toBe(true);
  };
  return { lifecycle, capacity, clock, lines, events, begin, runs };
}

describe("the life of an instance", () => {
  it("an instance is pending and then running, with its times, its folder and its events", async () => {
    const { lifecycle, events, begin, runs, clock, lines } = stage();
    const id = begin();
    expect(lifecycle.state(id)).toBe("pending");
    clock.nowMs = 2_000;
    await runs(id);
    const record = lifecycle.get(id);
    expect(record).toMatchObject({ ...instanceFacts, launchedAtMs: 1_000, folder: join(folder, "i-1"), notices: {}, vanished: false });
    expect(record?.states).toEqual([
      { state: "pending", atMs: 1_000, because: "launched" },
      { state: "running", atMs: 2_000, because: "launched" },
    ]);
    expect(events).toEqual(["i-1 state pending", "i-1 state running"]);
    expect(lifecycle.instances).toEqual([record]);
    expect(lines).toContainEqual({
      message: "instance runs nothing",
      instance: "i-1",
      because: "its user data has no node URL or no pool",
    });
    expect([lifecycle.get("i-9"), lifecycle.state("i-9"), lifecycle.isVisible("i-9")]).toEqual([undefined, undefined, true]);
  });

  it("an instance that is shut down twice ends once, for the first reason, and gives its place back", async () => {
    const { lifecycle, events, begin, runs, capacity } = stage();
    const id = begin();
    await runs(id);
    expect(capacity.room(instanceFacts)).toBe(1);
    const first = lifecycle.shutDown(id, "TerminateInstances");
    expect(lifecycle.state(id)).toBe("shutting-down");
    expect(lifecycle.shutDown(id, "again")).toBe(first);
    await first;
    expect(
      lifecycle
        .get(id)
        ?.states.slice(2)
        .map(({ state, because }) => `${state}: ${because}`),
    ).toEqual(["shutting-down: TerminateInstances", "terminated: TerminateInstances"]);
    expect(events.slice(2)).toEqual(["i-1 state shutting-down", "i-1 state terminated"]);
    expect(capacity.room(instanceFacts)).toBe(2);
    await lifecycle.shutDown(id, "a third time");
    expect([capacity.room(instanceFacts), lifecycle.get(id)?.states.length]).toEqual([2, 4]);
  });

  it("an instance whose processes cannot be ended is terminated anyway, and the error is logged", async () => {
    const error = new Error("the watchdog is gone");
    const { lifecycle, begin, runs, lines, capacity } = stage({}, 0.5, () => {
      throw error;
    });
    const id = begin();
    await runs(id);
    await lifecycle.shutDown(id, "TerminateInstances");
    expect(lifecycle.state(id)).toBe("terminated");
    expect(capacity.room(instanceFacts)).toBe(2);
    expect(lines).toContainEqual({ message: "instance processes not ended", instance: id, error });
  });

  it("an instance that ends while it is pending never runs", async () => {
    const { lifecycle, begin, lines } = stage({ pendingMs: 20 });
    const id = begin();
    await lifecycle.shutDown(id, "TerminateInstances");
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(lifecycle.get(id)?.states.map(({ state }) => state)).toEqual(["pending", "shutting-down", "terminated"]);
    expect(lines.filter(({ message }) => message === "instance failed")).toEqual([]);
  });

  it("EC2's responses do not include an instance before the drawn time after its launch", () => {
    const { lifecycle, begin, clock } = stage({ describeLagMs: { min: 100, max: 300 } });
    const id = begin();
    clock.nowMs = 1_199;
    expect(lifecycle.isVisible(id)).toBe(false);
    clock.nowMs = 1_200;
    expect(lifecycle.isVisible(id)).toBe(true);
  });

  it("an instance that vanishes ends without an event, and EC2's responses no longer include it", async () => {
    const { lifecycle, events, begin, runs, capacity } = stage();
    const id = begin();
    await runs(id);
    await lifecycle.vanish(id);
    await lifecycle.vanish(id);
    expect([lifecycle.state(id), lifecycle.isVisible(id), lifecycle.get(id)?.vanished]).toEqual(["terminated", false, true]);
    expect(lifecycle.get(id)?.states.at(-1)?.because).toBe("vanished");
    expect(events).toEqual(["i-1 state pending", "i-1 state running"]);
    expect(capacity.room(instanceFacts)).toBe(2);
  });
});

describe("the notices of a spot instance", () => {
  it("an interrupted instance is notified once, and ends when its time is up", async () => {
    const { lifecycle, events, begin, runs, clock } = stage({ interruptionNoticeMs: 10 });
    const id = begin();
    await runs(id);
    expect(lifecycle.interrupt(id)).toBe(1_010);
    clock.nowMs = 1_005;
    expect(lifecycle.interrupt(id, 99)).toBe(1_010);
    expect(lifecycle.get(id)?.notices).toEqual({ endsAtMs: 1_010 });
    expect(lifecycle.state(id)).toBe("running");
    await expect.poll(() => lifecycle.state(id)).toBe("terminated");
    expect(lifecycle.get(id)?.states.at(-1)?.because).toBe("Server.SpotInstanceTermination");
    expect(events.filter((event) => event.endsWith("interruption"))).toEqual(["i-1 interruption"]);
  });

  it("an instance that ends before its time is up is not ended again", async () => {
    const { lifecycle, begin, runs } = stage();
    const id = begin();
    await runs(id);
    expect(lifecycle.interrupt(id, 5)).toBe(1_005);
    await lifecycle.shutDown(id, "TerminateInstances");
    await new Promise((resolve) => setTimeout(resolve, 15));
    expect(lifecycle.get(id)?.states).toHaveLength(4);
  });

  it("a recommendation to rebalance is given once, and kept with an interruption", async () => {
    const { lifecycle, events, begin, runs, clock } = stage();
    const id = begin();
    await runs(id);
    lifecycle.recommendRebalance(id);
    clock.nowMs = 3_000;
    lifecycle.recommendRebalance(id);
    lifecycle.interrupt(id, 60_000);
    expect(lifecycle.get(id)?.notices).toEqual({ rebalanceAtMs: 1_000, endsAtMs: 63_000 });
    expect(events.slice(2)).toEqual(["i-1 rebalance", "i-1 interruption"]);
  });

  it("only a spot instance that has not ended can be notified", async () => {
    const { lifecycle, begin, runs } = stage();
    const [spot, other] = [begin(), begin({ id: "i-2", market: "on-demand" })];
    await Promise.all([runs(spot), runs(other)]);
    await lifecycle.shutDown(spot, "TerminateInstances");
    for (const notify of [(id: string) => lifecycle.interrupt(id), (id: string) => lifecycle.recommendRebalance(id)]) {
      expect(() => notify("i-9")).toThrow(expect.objectContaining({ code: "no-instance", message: "There is no instance i-9" }));
      expect(() => notify(other)).toThrow(expect.objectContaining({ code: "not-spot" }));
      expect(() => notify(spot)).toThrow(expect.objectContaining({ code: "not-running", message: "i-1 has ended" }));
    }
    expect(() => lifecycle.machine("i-9")).toThrow("There is no instance i-9");
  });
});
