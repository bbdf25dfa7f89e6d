import { expect, test } from "vitest";
import { type QueueEntry, waiting } from "../../../lib/model/job.ts";
import { ItemSizes, maxItemBytes, noItem, withItemSizes } from "../../../lib/sim/load/item-sizes.ts";
import { memoryLedger } from "../../../lib/sim/memory/ledger.ts";
import { jobKey, nodeKey } from "../../../lib/sim/memory/table.ts";
import { aJob, aLaunch, aNode, anAssignment, aSpec } from "../../fakes/builders.ts";

const plenty = { pool: { usdPerHour: 1e6, gpus: 1e6 } };

async function stage() {
  const memory = memoryLedger();
  const sizes = new ItemSizes();
  const ledger = withItemSizes(memory, memory.table, sizes);
  const { fence } = await ledger.decisions.begin("gpu");
  const submit = async (job: string, reason?: string): Promise<QueueEntry> => {
    const record = aJob({ job, ...(reason !== undefined && { reason }) });
    await ledger.admissions.admit(record);
    return waiting({ ...record, spec: record.spec ?? aSpec() });
  };
  return { table: memory.table, sizes, ledger, fence, submit };
}

test("an assignment that makes a node's item too large is refused for good, and nothing is written", async () => {
  const { table, ledger, fence, submit } = await stage();
  const held = Array.from({ length: 1000 }, (_, n) => anAssignment({ job: `held-${n}`, zones: ["z".repeat(150)] }));
  table.putNode(aNode({ assignments: held }));
  const node = aNode();
  await ledger.placements.bind(fence, { entry: await submit("fits"), node, atMs: 0 });
  table.setAssignments(node, [...held, ...held.map((each) => ({ ...each, job: `${each.job}-too` }))], 0);
  const entry = await submit("too-much");
  await expect(ledger.placements.bind(fence, { entry, node, atMs: 0 })).rejects.toMatchObject({
    retry: false,
    message: expect.stringContaining(`Item size has exceeded the maximum allowed size: node ${node.id}`),
  });
  expect(table.jobs.get(jobKey(entry))?.state).toBe("queued");
  expect(table.nodes.get(nodeKey("gpu", node.id))?.node.assignments).toHaveLength(2000);
});

test.each([
  ["a launch of too many jobs", async ({ ledger, fence }: Stage) => ledger.placements.intend(fence, manyJobs, plenty)],
  [
    "a reason that is too long",
    async ({ ledger, fence, submit }: Stage) => ledger.placements.hold(fence, { entry: await submit("a"), reason: long }),
  ],
  ["a rejected job with a reason that is too long", async ({ submit }: Stage) => submit("a", long)],
])("%s is refused", async (_, write) => {
  const on = await stage();
  await expect(write(on)).rejects.toThrow("Item size has exceeded the maximum allowed size");
  expect(on.table.openLaunches.size).toBe(0);
});

type Stage = Awaited<ReturnType<typeof stage>>;
const long = "é".repeat(maxItemBytes / 2);
const manyJobs = aLaunch({ jobs: Array.from({ length: 5000 }, (_, n) => ({ team: "vision", job: `job-${n}-${"x".repeat(80)}` })) });

test("the largest item of a run is known by its kind and name", async () => {
  const { sizes, ledger, fence, submit } = await stage();
  expect(sizes.largest).toEqual(noItem);
  await submit("small");
  const { bytes } = sizes.largest;
  expect(sizes.largest.what).toMatch(/^job \S+small$/);
  await ledger.placements.intend(fence, aLaunch({ id: "large", jobs: manyJobs.jobs.slice(0, 100) }), plenty);
  expect(sizes.largest.what).toBe("launch large");
  expect(sizes.largest.bytes).toBeGreaterThan(bytes + 100 * 80);
  expect(sizes.largest.bytes).toBeLessThan(maxItemBytes);
});
