import { describe, expect, test } from "vitest";
import type { NodeResponse, Order } from "../../../events/node-call.ts";
import { masterPort } from "../../../lib/flows/node/gang-order.ts";
import { aCatalogue, anOffer, aPool } from "../../fakes/builders.ts";
import { ModelWorker } from "./model-worker.ts";
import { cancel, interruption, onInstance, rebalance, stateChange } from "./news.ts";
import { aWorld, type World } from "./world.ts";

const of = { team: "vision", job: "a", attempt: 1 };
const offers = [anOffer(), anOffer({ zone: "us-east-1b", usdPerHour: 0.6 })];

type Stage = { readonly world: World; readonly ids: readonly string[]; readonly workers: readonly ModelWorker[] };

/** A gang of three that is bound to booting nodes. */
async function bound(fields: object = {}): Promise<Stage> {
  const world = aWorld({ catalogue: aCatalogue({ offers }) });
  await world.submit("a", { nodes: 3, ...fields });
  await world.workOff();
  const ids = world.job("a")?.gang ?? [];
  return { world, ids, workers: ids.map((id) => new ModelWorker(world, id)) };
}

const everyCall = async ({ workers }: Stage): Promise<void> => {
  for (const [n, worker] of workers.entries()) await worker.call({ address: `10.0.0.${n}` });
};

/** A gang of three whose members all run. */
async function working(fields: object = {}): Promise<Stage> {
  const stage = await bound(fields);
  await everyCall(stage);
  await everyCall(stage);
  for (const worker of stage.workers) worker.begin();
  await everyCall(stage);
  await stage.world.workOff();
  return stage;
}

const ordersOf = (response: NodeResponse): readonly Order[] => (response.kind === "orders" ? response.orders : []);
const heldBy = ({ world }: Stage): readonly (number | undefined)[] =>
  world.nodes.flatMap((node) => node.assignments.map(({ rank }) => rank));

describe("a waiting gang", () => {
  test("a waiting gang has all its nodes launched at once, and is bound to them while they boot", async () => {
    const { world, ids } = await bound();
    expect(world.fleet.requested).toMatchObject([
      { count: 3, whole: true, jobs: [{ team: "vision", job: "a" }], reserved: { usdPerHour: 1.8, gpus: 3 } },
    ]);
    expect(ids).toHaveLength(3);
    expect(world.job("a")).toMatchObject({ state: "placed", node: ids[0], attempt: 1 });
    expect(world.nodes.map((node) => [node.id, node.assignments[0]?.rank])).toEqual(ids.map((id, rank) => [id, rank]));
    expect(world.reserved).toEqual({ usdPerHour: 1.5, gpus: 3 });
    expect(world.log.filter(({ message }) => message === "gang placed")).toMatchObject([{ ...of, nodes: ids }]);
  });

  test("a gang that got too few nodes gets a new launch, and those nodes are given back", async () => {
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 10, gpus: 8 } }), catalogue: aCatalogue({ offers }) });
    const launch = world.fleet.launch.bind(world.fleet);
    world.fleet.launch = async (request) => {
      const outcome = await launch(request);
      const isFirst = world.fleet.requested.length === 1;
      return outcome.kind === "launched" && isFirst ? { ...outcome, instances: outcome.instances.slice(0, 2) } : outcome;
    };
    await world.submit("a", { nodes: 3 });
    await world.workOff();
    expect(world.fleet.requested.map(({ count }) => count)).toEqual([3, 3]);
    expect(world.nodes).toHaveLength(5);
    expect(new Set(world.job("a")?.gang).size).toBe(3);
    expect(world.reserved).toEqual({ usdPerHour: 2.5, gpus: 5 });
    for (const node of world.nodes) await world.call(node.id);
    for (let n = 0; n < 3; n += 1) await world.pass(60);
    expect(world.nodes.map(({ id }) => id).sort()).toEqual([...(world.job("a")?.gang ?? [])].sort());
  });

  test("a refused gang does not keep other jobs from the same offers", async () => {
    const world = aWorld({ catalogue: aCatalogue({ offers: [anOffer()] }) });
    const launch = world.fleet.launch.bind(world.fleet);
    const refused: number[] = [];
    world.fleet.launch = async (request) => {
      if (request.count === 1) return launch(request);
      refused.push(request.count);
      const code = "InsufficientInstanceCapacity";
      const refusals = request.offers.map(({ instanceType, zone, market }) => ({
        instanceType,
        zone,
        market,
        code,
        why: "capacity" as const,
      }));
      return { kind: "refused", code, message: "not so many", refusals };
    };
    await world.submit("a", { nodes: 3 });
    await world.submit("b");
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "queued", reason: expect.stringContaining("InsufficientInstanceCapacity") });
    expect(world.job("b")).toMatchObject({ state: "placed" });
    await world.submit("c", { nodes: 2 });
    await world.workOff();
    expect(refused, "fewer may be had").toEqual([3, 2]);
    await world.submit("d", { nodes: 4 });
    await world.workOff();
    expect(refused, "more may not").toEqual([3, 2]);
  });

  test("a gang that can never fit into the limits is rejected with the reason", async () => {
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 10, gpus: 2 } }), catalogue: aCatalogue({ offers }) });
    expect(await world.submit("a", { nodes: 3 })).toMatchObject({ kind: "rejected" });
    expect(world.job("a")?.reason).toBe("the gang needs 3 GPUs on 3 nodes and pool gpu is limited to 2");
  });

  test("a gang does not lose its nodes to a job that has another place", async () => {
    const world = aWorld({ catalogue: aCatalogue({ offers }) });
    await world.submit("single");
    world.nowMs += 1;
    await world.submit("gang", { nodes: 2 });
    await world.workOff();
    expect(world.fleet.requested.map(({ count }) => count).sort()).toEqual([1, 2]);
    expect(world.job("gang")).toMatchObject({ state: "placed" });
    expect(world.job("single")).toMatchObject({ state: "placed" });
    expect(world.job("gang")?.gang).not.toContain(world.job("single")?.node);
  });
});

describe("a gang's members", () => {
  test("a gang's members are ordered to run with the first member's address, once it is known", async () => {
    const { world, ids } = await bound();
    const [first = "", second = ""] = ids;
    expect(ordersOf(await world.call(second, { address: "10.0.0.2" }))).toEqual([]);
    expect(await world.call(second, { address: "10.0.0.2" })).toMatchObject({ callAgainMs: 1_000 });
    const master = { address: "10.0.0.1", port: masterPort(of) };
    expect(ordersOf(await world.call(first, { address: "10.0.0.1" }))).toMatchObject([{ kind: "run", gang: { rank: 0, size: 3, master } }]);
    expect(ordersOf(await world.call(second))).toMatchObject([{ kind: "run", gang: { rank: 1, size: 3, master } }]);
  });

  test("a gang's members write separate logs, and the first member's is the attempt's log", async () => {
    const { world, ids } = await bound();
    const streams: string[] = [];
    for (const [n, id] of ids.entries()) {
      const [order] = ordersOf(await world.call(id, { address: `10.0.0.${n}` }));
      if (order?.kind === "run") streams.push(order.log.stream);
    }
    expect(streams).toEqual(["a/1", "a/1/1", "a/1/2"]);
  });

  test("a gang's remaining members are ordered to run after one has reported that the job runs", async () => {
    const { world, ids } = await bound();
    const [first = "", second = "", third = ""] = ids;
    await world.call(first, { address: "10.0.0.1" });
    await world.call(second);
    await world.call(second, { attempts: [{ ...of, phase: "running", startedAtMs: world.nowMs }] });
    expect(world.job("a")).toMatchObject({ state: "running" });
    expect(ordersOf(await world.call(third))).toMatchObject([{ kind: "run", gang: { rank: 2 } }]);
    expect(ordersOf(await world.call(first))).toMatchObject([{ kind: "run", gang: { rank: 0 } }]);
  });

  test("a gang's other members are stopped when the first has ended well, and only the first uploads", async () => {
    const stage = await working();
    const { world, workers } = stage;
    expect(world.job("a")).toMatchObject({ state: "running" });
    workers[2]?.end(0);
    await everyCall(stage);
    expect(workers[2]?.phaseOf("a"), "it has done its part and uploads nothing").toBeUndefined();
    expect(world.job("a")).toMatchObject({ state: "running", gang: expect.any(Array) });
    workers[0]?.end(0);
    await everyCall(stage);
    expect(world.job("a")).toMatchObject({ state: "sealing", exitCode: 0, attempt: 1 });
    expect(workers[0]?.phaseOf("a")).toBe("uploading");
    await everyCall(stage);
    expect(workers[1]?.phaseOf("a"), "stopped, said so, and forgotten").toBeUndefined();
    expect(heldBy(stage)).toEqual([0]);
  });

  test("a gang's failure restarts all members after all have stopped", async () => {
    const stage = await working({ retries: 1 });
    const { world, workers } = stage;
    workers[1]?.end(7);
    await workers[1]?.call();
    expect(world.job("a")).toMatchObject({ state: "queued", attempt: 2, failures: 1, reason: "member 1: exit code 7" });
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "queued", reason: expect.stringContaining("still hold its last attempt") });
    await everyCall(stage);
    await everyCall(stage);
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 2 });
    expect(world.job("a")?.gang).toHaveLength(3);
  });

  test("a gang's last allowed failure ends the job, and the other members are stopped", async () => {
    const stage = await working();
    stage.workers[2]?.end(7);
    await everyCall(stage);
    await everyCall(stage);
    await everyCall(stage);
    expect(stage.world.job("a")).toMatchObject({ state: "failed", exitCode: 7, reason: "member 2: exit code 7" });
    expect(heldBy(stage)).toEqual([]);
  });

  test.each<[string, (world: World, id: string) => unknown]>([
    ["is being taken back", (world, id) => onInstance(world, interruption(id))],
    ["has ended", (world, id) => onInstance(world, stateChange(id, "terminated"))],
    ["is silent", (world) => (world.nowMs += 91_000)],
  ])("a gang whose member fails because another member's node %s restarts without a failure", async (_what, happen) => {
    const stage = await working();
    const { world, ids, workers } = stage;
    await happen(world, ids[2] ?? "");
    for (const at of [0, 1]) await workers[at]?.call();
    workers[1]?.end(1);
    await workers[1]?.call();
    expect(world.job("a")).toMatchObject({
      state: "queued",
      attempt: 2,
      failures: 0,
      reason: "member 1: exit code 1, while member 2 was being lost with its node",
    });
  });

  test("a gang whose member fails while another member's node only has a rebalance recommendation fails", async () => {
    const { world, ids, workers } = await working();
    await onInstance(world, rebalance(ids[2] ?? ""));
    workers[1]?.end(1);
    await workers[1]?.call();
    expect(world.job("a")).toMatchObject({ state: "failed", failures: 1 });
  });

  test.each<[string, (world: World, id: string) => unknown]>([
    ["has been given back", (world) => world.pass(150)],
    ["is being taken back", (world, id) => onInstance(world, interruption(id))],
  ])("a gang whose member fails counts a failure even if the node of a member that had ended well %s", async (_what, happen) => {
    const { world, ids, workers } = await working();
    workers[2]?.end(0);
    await workers[2]?.call();
    for (const at of [0, 1]) await workers[at]?.call();
    await happen(world, ids[2] ?? "");
    for (const at of [0, 1]) await workers[at]?.call();
    workers[1]?.end(1);
    await workers[1]?.call();
    expect(world.job("a")).toMatchObject({ state: "failed", failures: 1, reason: "member 1: exit code 1" });
  });

  test("a gang whose member loses its node restarts without a failure", async () => {
    const stage = await working();
    const { world, ids } = stage;
    const lost = ids[1] ?? "";
    world.fleet.end(lost);
    await onInstance(world, stateChange(lost, "terminated"));
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "queued", attempt: 2, failures: 0 });
    for (let n = 0; n < 2; n += 1) for (const at of [0, 2]) await stage.workers[at]?.call();
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 2 });
    expect(world.job("a")?.gang).not.toContain(lost);
  });

  test("all members of a cancelled gang are stopped, including those that were not ordered to run yet", async () => {
    const stage = await bound();
    const { world } = stage;
    await stage.workers[0]?.call({ address: "10.0.0.0" });
    await cancel(world, "a");
    await everyCall(stage);
    await everyCall(stage);
    expect(heldBy(stage)).toEqual([]);
    expect(world.job("a")).toMatchObject({ state: "cancelled" });
  });
});

test("an attempt's port is the same for all members, and another one for the next attempt", () => {
  const ports = Array.from({ length: 200 }, (_, n) => masterPort({ ...of, attempt: n + 1 }));
  for (const port of ports) expect(port >= 20_000 && port < 30_000).toBe(true);
  expect(new Set(ports).size).toBeGreaterThan(190);
  expect(masterPort(of)).toBe(masterPort({ ...of }));
});
