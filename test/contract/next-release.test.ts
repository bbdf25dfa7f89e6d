import { PutCommand, ScanCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import type { TableAccess } from "../../lib/aws/table/access.ts";
import { jobKey, type Key, nodeKey, overridesKey } from "../../lib/aws/table/keys.ts";
import { loadPool } from "../../lib/flows/pool/load-pool.ts";
import { changed, noOverrides } from "../../lib/model/overrides/overrides.ts";
import type { LedgerPorts } from "../../lib/sim/memory/ledger-ports.ts";
import { aLaunch, anAssignment, aRefusal, monday } from "../fakes/builders.ts";
import { ledgerOn, newTable } from "./dynamodb-ledger.ts";
import { begin, callAt, newNode, placed, plenty, reportedOn } from "./suites/arrange.ts";

const all = async ({ client, table }: TableAccess): Promise<(Key & Record<string, unknown>)[]> =>
  ((await client.send(new ScanCommand({ TableName: table, ConsistentRead: true }))).Items ?? []) as (Key & Record<string, unknown>)[];

/** Gives each item that has none a field that only the next release knows. Returns the keys of all items. */
async function extend(access: TableAccess): Promise<void> {
  for (const { pk, sk, future } of await all(access))
    if (future === undefined)
      await access.client.send(
        new UpdateCommand({
          TableName: access.table,
          Key: { pk, sk },
          UpdateExpression: "SET future = :future",
          ExpressionAttributeValues: { ":future": 1 },
        }),
      );
}

const attempt = { team: "vision", job: "train-1", attempt: 1 };
const later = monday + 120_000;

const paused = changed(noOverrides, { kind: "pause" }, { by: "ada", atMs: monday });

/** Changes of every kind to a job, its node, a launch and a refusal. Returns the items in which the field must survive. */
const changes: readonly (readonly [string, (ledger: LedgerPorts, node: string) => Promise<unknown>])[] = [
  ["a report of the worker", (ledger, node) => ledger.nodeLedger.change(reportedOn(node, later), { attempt, assignment: "running" })],
  [
    "a heartbeat",
    (ledger, node) => ledger.nodeLedger.seen("gpu", node, callAt(later, { telemetry: { address: "10.0.0.7", datasets: [] } })),
  ],
  ["a session", (ledger, node) => ledger.nodeLedger.begin("gpu", node, later)],
  ["a notice", (ledger, node) => ledger.nodeLedger.noticed(node, { kind: "rebalance", atMs: later }, later)],
  ["a cancellation", (ledger) => ledger.cancellations.cancel(attempt, { reason: "not wanted", atMs: later })],
  ["another refusal", (ledger) => ledger.capacity.change(aRefusal(), (known) => known && { ...known, evidence: 2 })],
  ["the end of the instance", (ledger, node) => ledger.nodeLedger.gone(node, later)],
  ["a change of overrides", (ledger) => ledger.overrides.replace("gpu", changed(paused, { kind: "resume" }, { by: "ada", atMs: later }))],
  ["a ring", (ledger) => ledger.bell.ring("gpu", "job")],
];

test("a field that only the next release knows survives each change that this release makes to an item", async () => {
  const access = await newTable();
  const ledger = ledgerOn(access);
  const { fence, node } = await placed(ledger);
  await ledger.capacity.change(aRefusal(), () => aRefusal());
  await ledger.overrides.replace("gpu", paused);
  await extend(access);
  for (const [change, make] of changes) {
    const before = (await all(access)).map(({ pk, sk }) => `${pk} ${sk}`);
    await make(ledger, node.id);
    const lost = (await all(access)).filter(({ pk, sk, future }) => before.includes(`${pk} ${sk}`) && future === undefined);
    expect(
      lost.map(({ pk, sk }) => `${pk} ${sk}`),
      change,
    ).toEqual([]);
    await extend(access);
  }
  await ledger.placements.takeBack(fence, { node: node.id, assignment: anAssignment(), reason: "lost", atMs: later });
  await ledger.placements.removeNode(fence, node.id, later);
  const forgotten = (await all(access)).find(({ pk, sk }) => pk === "ND#gpu" && sk === node.id);
  expect(forgotten, "a node that has left").toMatchObject({ future: 1, heartbeat: { future: 1 } });
});

test("fields of orders that only the next release knows survive a change of the pool's overrides", async () => {
  const access = await newTable();
  const { overrides } = ledgerOn(access);
  const order = { by: "ada", sinceMs: monday, future: 1 };
  const item = { version: 1, paused: order, nodes: { "i-1": order }, history: [{ what: "x", by: "ada", atMs: monday, future: 1 }] };
  await access.client.send(new PutCommand({ TableName: access.table, Item: { ...overridesKey("gpu"), ...item } }));
  const next = changed(await overrides.get("gpu"), { kind: "cordon", node: "i-2" }, { by: "bob", atMs: later });
  expect(await overrides.replace("gpu", next)).toBe("done");
  const nodes = { "i-1": order, "i-2": expect.anything() };
  expect(await all(access)).toMatchObject([{ version: 2, paused: order, nodes, history: [{ by: "bob" }, ...item.history] }]);
});

test("a field that only the next release knows survives the settling of a launch", async () => {
  const access = await newTable();
  const ledger = ledgerOn(access);
  const fence = await begin(ledger);
  await ledger.placements.intend(fence, aLaunch(), plenty);
  await extend(access);
  await ledger.placements.settle(fence, { launch: aLaunch(), nodes: [newNode()], atMs: monday });
  expect((await all(access)).find(({ pk }) => pk === "LD#gpu")).toMatchObject({ future: 1 });
});

test("items of a kind that only the next release knows, next to a job's and a node's, change nothing", async () => {
  const access = await newTable();
  const ledger = ledgerOn(access);
  const { fence, node, job } = await placed(ledger);
  const before = [await loadPool(ledger, "gpu", monday), await ledger.nodeReader.find(node.id), await ledger.jobReader.get(job)];
  for (const key of [
    { ...nodeKey("gpu", node.id), sk: `${node.id}#CHECKPOINTS` },
    { ...jobKey(job), sk: "CHECKPOINT#0000000001" },
    { ...jobKey(job), sk: "PARENT" },
  ])
    await access.client.send(new PutCommand({ TableName: access.table, Item: { ...key, since: "noon" } }));
  expect([await loadPool(ledger, "gpu", monday), await ledger.nodeReader.find(node.id), await ledger.jobReader.get(job)]).toEqual(before);
  expect((await ledger.nodeReader.list("gpu", { limit: 10 })).map(({ id }) => id)).toEqual([node.id]);
  expect(await ledger.jobReader.attempts({ ...attempt, limit: 10 })).toMatchObject({ attempts: [{ attempt: 1 }] });
  await ledger.nodeLedger.gone(node.id, later);
  await ledger.placements.takeBack(fence, { node: node.id, assignment: anAssignment(), reason: "lost", atMs: later });
  expect(await ledger.placements.removeNode(fence, node.id, later)).toBe("done");
  expect((await ledger.decisions.load("gpu", monday)).nodes).toEqual([]);
});
