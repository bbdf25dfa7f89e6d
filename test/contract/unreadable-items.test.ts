import { DeleteCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import type { TableAccess } from "../../lib/aws/table/access.ts";
import {
  bootFailureKey,
  catalogueKey,
  instanceKey,
  jobKey,
  launchKey,
  nodeKey,
  overridesKey,
  queueKey,
  refusalKey,
  sealingKey,
  specKey,
  spentKey,
  teamReservedKey,
  teamSpentKey,
} from "../../lib/aws/table/keys.ts";
import { loadPool } from "../../lib/flows/pool/load-pool.ts";
import { acrossPools, noOverrides, unknownOverrides } from "../../lib/model/overrides/overrides.ts";
import type { LedgerPorts } from "../../lib/sim/memory/ledger-ports.ts";
import { aCatalogue, aLaunch, aRefusal, monday } from "../fakes/builders.ts";
import { ledgerOn, newTable } from "./dynamodb-ledger.ts";
import { admitted, begin, plenty, readyNode, sealing } from "./suites/arrange.ts";

/** A pool with two of everything, so that one can be unreadable and the other must still be seen. */
async function arrange() {
  const access = await newTable();
  const ledger = ledgerOn(access);
  const entries = [(await admitted(ledger, { job: "a" })).entry, (await admitted(ledger, { job: "b" })).entry];
  const fence = await begin(ledger);
  const nodes = [await readyNode(ledger, fence), await readyNode(ledger, fence, { id: "i-0000000000000002" })];
  const launches = ["l1", "l2"].map((id) => aLaunch({ id, clientToken: id }));
  for (const launch of launches) await ledger.placements.intend(fence, launch, plenty);
  const refusals = [aRefusal(), aRefusal({ zone: "us-east-1b" })];
  for (const refusal of refusals) await ledger.capacity.change(refusal, () => refusal);
  const failures = ["i-000000000000000a", "i-000000000000000b"].map((node) => ({
    node,
    instanceType: "g5.xlarge",
    zone: "us-east-1a",
    atMs: monday,
  }));
  for (const failure of failures) await ledger.placements.bootFailed(fence, failure);
  return { access, ledger, entries, nodes, launches, refusals };
}

/** Changes an item as a later release might have written it. */
async function spoil({ client, table }: TableAccess, key: { pk: string; sk: string }, field: string, value: unknown): Promise<void> {
  const UpdateExpression = "SET #field = :value";
  const names = { "#field": field };
  await client.send(
    new UpdateCommand({
      TableName: table,
      Key: key,
      UpdateExpression,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: { ":value": value },
    }),
  );
}

const sizes = async (ledger: LedgerPorts) => {
  const { queue, nodes, openLaunches, refusals, bootFailures, unreadable } = await loadPool(ledger, "gpu", monday);
  return [queue.length, nodes.length, openLaunches.length, refusals.length, bootFailures?.length, unreadable?.length ?? 0];
};

test("an item that cannot be read is left out of the decision and named, and nothing else is missing", async () => {
  const { access, ledger, entries, nodes, launches, refusals } = await arrange();
  expect(await sizes(ledger)).toEqual([2, 2, 2, 2, 2, 0]);
  const [entry, node, launch, refusal] = [entries[0], nodes[0], launches[0], refusals[0]];
  if (!entry || !node || !launch || !refusal) throw new Error("incomplete");
  const broken = [
    [queueKey({ pool: "gpu", ...entry }), "a", "first", "queue entry"],
    [nodeKey("gpu", node.id), "state", "hibernating", "node"],
    [launchKey("gpu", launch.id), "market", "futures", "launch"],
    [refusalKey(refusal), "why", "weather", "refusal"],
    [bootFailureKey("gpu", "i-000000000000000a"), "atMs", "noon", "boot failure"],
  ] as const;
  for (const [key, field, value, kind] of broken) {
    await spoil(access, key, field, value);
    const { unreadable = [] } = await loadPool(ledger, "gpu", monday);
    expect(unreadable.find((each) => each.kind === kind)).toMatchObject({
      key: `${key.pk} ${key.sk}`,
      why: expect.stringContaining(field),
    });
  }
  expect(await sizes(ledger)).toEqual([1, 1, 1, 1, 1, 5]);
  // Its jobs are known, so that nothing is launched for them again.
  const { unreadable = [] } = await ledger.decisions.load("gpu", monday);
  expect(unreadable.filter(({ jobs }) => jobs !== undefined)).toMatchObject([{ kind: "launch", jobs: launch.jobs }]);
  // What the node and the launch cost stays reserved.
  expect((await ledger.decisions.state("gpu")).reserved.gpus).toBe(4);
});

test("a waiting job whose record cannot be read is left out and named once it was set aside, until it can be read", async () => {
  const { access, ledger, entries, nodes } = await arrange();
  const [entry, other] = entries;
  const [node] = nodes;
  if (!entry || !other || !node) throw new Error("incomplete");
  const fence = await begin(ledger);
  const waiting = async () => {
    const { queue, unreadable = [] } = await ledger.decisions.waiting("gpu", monday);
    return [queue.map(({ job }) => job), unreadable.map(({ kind, key }) => `${kind} ${key}`)];
  };
  await spoil(access, jobKey(entry), "state", "teleported");
  await expect(ledger.placements.bind(fence, { entry, node, atMs: monday })).rejects.toMatchObject({ code: "broken-item" });
  expect(await waiting()).toEqual([["a", "b"], []]);
  expect(await ledger.placements.setAside(fence, entry)).toBe("done");
  expect(await waiting()).toEqual([["b"], [`job ${jobKey(entry).pk} STATE`]]);
  expect(await ledger.placements.setAside(fence, { ...other, attempt: 7 })).toBe("stale");
  await spoil(access, jobKey(entry), "state", "queued");
  expect(await waiting()).toEqual([["a", "b"], []]);
  expect(await ledger.placements.bind(fence, { entry, node, atMs: monday })).toBe("done");
  expect(await waiting()).toEqual([["b"], []]);
});

test("a waiting job that was set aside and does not exist any more is named", async () => {
  const { access, ledger, entries } = await arrange();
  const [entry] = entries;
  if (!entry) throw new Error("incomplete");
  await ledger.placements.setAside(await begin(ledger), entry);
  await access.client.send(new DeleteCommand({ TableName: access.table, Key: jobKey(entry) }));
  expect(await ledger.decisions.waiting("gpu", monday)).toMatchObject({
    queue: [{ job: "b" }],
    unreadable: [{ kind: "job", key: `${jobKey(entry).pk} STATE`, why: "there is no such item" }],
  });
});

test("of very many jobs that were set aside, each is looked at within some minutes, and begins once it can be read", async () => {
  const access = await newTable();
  const ledger = ledgerOn(access);
  const fence = await begin(ledger);
  const names = Array.from({ length: 104 }, (_, n) => `j${String(n).padStart(3, "0")}`);
  const entries = await Promise.all(names.map(async (job) => (await admitted(ledger, { job })).entry));
  await Promise.all(entries.map((entry) => ledger.placements.setAside(fence, entry)));
  const seen = new Set<string>();
  for (let minute = 0; minute < 3; minute += 1) {
    const { queue, unreadable = [] } = await ledger.decisions.waiting("gpu", monday + minute * 60_000);
    expect([queue.length, unreadable.length]).toEqual([100, 4]);
    for (const { job } of queue) seen.add(job);
  }
  expect([...seen].toSorted()).toEqual(names);
});

test("a job that a ready node does not start because its spec cannot be read is named", async () => {
  const { access, ledger, entries, nodes } = await arrange();
  const [entry] = entries;
  const [node] = nodes;
  if (!entry || !node) throw new Error("incomplete");
  const boundAtMs = monday + 61_000;
  expect(await ledger.placements.bind(await begin(ledger), { entry, node, atMs: boundAtMs })).toBe("done");
  await spoil(access, specKey(entry), "spec", "lost");
  const jobs = async (nowMs: number) => {
    const { unreadable = [] } = await ledger.decisions.load("gpu", nowMs);
    return unreadable.map(({ kind, key }) => `${kind} ${key}`);
  };
  expect(await jobs(boundAtMs + 119_000)).toEqual([]);
  expect(await jobs(boundAtMs + 121_000)).toEqual([`job ${jobKey(entry).pk} STATE`]);
});

test("a team's counter that cannot be read counts as full, and the counters of others are not affected", async () => {
  const { access, ledger } = await arrange();
  const before = (await ledger.decisions.load("gpu", monday)).reservedWider;
  await spoil(access, teamReservedKey("vision"), "reservedGpus", "many");
  const { reservedWider, unreadable = [] } = await ledger.decisions.load("gpu", monday);
  expect(reservedWider).toEqual({ ...before, teams: { ...before.teams, vision: { usdPerHour: 1e9, gpus: 1e9 } } });
  expect(unreadable.map(({ kind, key }) => `${kind} ${key}`)).toEqual(["counter RESERVED TEAM#vision"]);
});

test("a team's record of costs that cannot be read is unknown, and that of another team is not affected", async () => {
  const { access, ledger, nodes } = await arrange();
  const fence = await begin(ledger);
  for (const { id } of nodes) await ledger.placements.terminating(fence, id, monday + 3_600_000);
  const other = await readyNode(ledger, fence, { id: "i-0000000000000003", team: "research" });
  await ledger.placements.terminating(fence, other.id, monday + 3_600_000);
  await spoil(access, teamSpentKey("gpu", "2026-06", "vision"), "total", "much");
  const { spent, unreadable = [] } = await ledger.decisions.load("gpu", monday);
  expect(spent).toEqual({
    dayUsd: 1.5,
    monthUsd: 1.5,
    teams: { vision: { dayUsd: 0, monthUsd: 0, isUnknown: true }, research: { dayUsd: 0.5, monthUsd: 0.5 } },
  });
  expect(unreadable.map(({ kind, key }) => `${kind} ${key}`)).toEqual(["counter SP#gpu#2026-06 vision"]);
});

test("a pool's record of costs that cannot be read stops the pool, because nothing is known about its budgets", async () => {
  const { access, ledger } = await arrange();
  await access.client.send(new PutCommand({ TableName: access.table, Item: { ...spentKey("gpu", "2026-06"), total: "much" } }));
  await expect(ledger.decisions.load("gpu", monday)).rejects.toThrow("P#gpu SPENT#2026-06 is broken");
});

test("overrides that cannot be read pause their pool, are named, and can be neither changed nor lost", async () => {
  const { access, ledger } = await arrange();
  await ledger.overrides.replace("gpu", { ...noOverrides, version: 1 });
  await spoil(access, overridesKey("gpu"), "paused", "until Monday");
  const { overrides, nodes, unreadable = [] } = await ledger.decisions.load("gpu", monday);
  expect([overrides, nodes.length]).toEqual([unknownOverrides, 2]);
  expect(unreadable).toEqual([{ kind: "overrides", key: "P#gpu OVERRIDES", why: expect.stringContaining("paused") }]);
  expect(await ledger.overrides.get("gpu")).toEqual(unknownOverrides);
  expect((await ledger.decisions.load("other", monday)).overrides).toBeUndefined();
});

test("limits across pools that cannot be read are named in every pool, and can be neither changed nor lost", async () => {
  const { access, ledger } = await arrange();
  await ledger.overrides.replace(acrossPools, { ...noOverrides, version: 1 });
  await spoil(access, overridesKey(acrossPools), "settings", "until Monday");
  for (const pool of ["gpu", "other"]) {
    const { overrides, widerOverrides, unreadable = [] } = await ledger.decisions.load(pool, monday);
    expect([overrides, widerOverrides]).toEqual([undefined, unknownOverrides]);
    expect(unreadable).toEqual([{ kind: "overrides", key: "P#* OVERRIDES", why: expect.stringContaining("settings") }]);
  }
  expect(await ledger.overrides.get(acrossPools)).toEqual(unknownOverrides);
});

test("lists of nodes and jobs leave out what cannot be read, and their pages are full all the same", async () => {
  const { access, ledger, nodes } = await arrange();
  await spoil(access, nodeKey("gpu", nodes[0]?.id ?? ""), "state", "hibernating");
  await spoil(access, jobKey({ team: "vision", job: "a" }), "state", "dreaming");
  expect((await ledger.nodeReader.list("gpu", { limit: 1 })).map(({ id }) => id)).toEqual([nodes[1]?.id]);
  expect((await ledger.jobReader.list({ team: "vision", limit: 10 })).jobs.map(({ job }) => job)).toEqual(["b"]);
});

test("an upload that cannot be read does not hide the others that wait to be sealed", async () => {
  const access = await newTable();
  const ledger = ledgerOn(access);
  await sealing(ledger);
  const other = { team: "vision", job: "other", attempt: 1 };
  await access.client.send(new PutCommand({ TableName: access.table, Item: { ...sealingKey(other), ...other, sinceMs: "noon" } }));
  expect((await ledger.sealing.waitingSince(monday + 3_600_000)).map(({ job }) => job)).toEqual(["train-1"]);
});

test("an instance whose item cannot be read counts as owned, so that the sweep does not end it", async () => {
  const access = await newTable();
  const [known, stranger] = ["i-00000000000000001", "i-00000000000000002"];
  await access.client.send(new PutCommand({ TableName: access.table, Item: { ...instanceKey(known), pool: 7 } }));
  const tagged = [known, stranger].map((id) => ({ id, launchedAtMs: monday, ending: false }));
  expect((await ledgerOn(access).orphans.unowned(tagged)).map(({ id }) => id)).toEqual([stranger]);
});

test("a catalogue that cannot be read is as good as none, and another one replaces it", async () => {
  const access = await newTable();
  const { catalogues } = ledgerOn(access);
  await access.client.send(new PutCommand({ TableName: access.table, Item: { ...catalogueKey("gpu"), gz: new Uint8Array([1, 2, 3]) } }));
  expect(await catalogues.get("gpu")).toBeUndefined();
  await catalogues.put("gpu", aCatalogue());
  expect(await catalogues.get("gpu")).toEqual(aCatalogue());
});
