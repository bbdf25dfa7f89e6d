import { DescribeTableCommand, PutItemCommand, ScanCommand, TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { describe, expect, it } from "vitest";
import { createSealing } from "../../lib/aws/table/jobs/sealing.ts";
import { firstTableKey } from "../../lib/aws/table/keys.ts";
import { aJob, aLaunch, aSpec, monday } from "../fakes/builders.ts";
import { clientWithSmallPages, ledgerOn, newTable } from "./dynamodb-ledger.ts";
import { beforeNextWrite } from "./race.ts";
import { admitted, begin, callAt, launched, newNode, placed, plenty, readyNode, reportedOn } from "./suites/arrange.ts";
import { expiryContract } from "./suites/expiry.ts";
import { ledgerContract } from "./suites/ledger.ts";

/** Deletes the items that DynamoDB would have deleted by a time, at the latest, because of their time to live. The emulator deletes none. */
async function expireItems({ base, client, table }: Awaited<ReturnType<typeof newTable>>, byMs: number): Promise<void> {
  const { Items = [] } = await base.send(new ScanCommand({ TableName: table }));
  for (const { pk, sk, ttl } of Items) {
    if (ttl?.N === undefined || Number(ttl.N) * 1000 > byMs) continue;
    await client.send(new DeleteCommand({ TableName: table, Key: { pk: pk?.S, sk: sk?.S } }));
  }
}

describe("the ledger in DynamoDB", () => {
  // One client for all tests, because a new one would open connections and read its settings again.
  const base = clientWithSmallPages();
  ledgerContract(async () => ledgerOn(await newTable(base)));
  expiryContract(async () => {
    const access = await newTable(base);
    return { ledger: ledgerOn(access), expire: (byMs) => expireItems(access, byMs) };
  });
});

describe("what only the ledger in DynamoDB does", () => {
  it("a queue entry has at most 300 bytes", async () => {
    const access = await newTable();
    const ledger = ledgerOn(access);
    const spec = aSpec({
      gpus: { count: 8, memoryGiB: 22.5, models: ["A10G", "L40S"] },
      vcpus: 187.5,
      memoryGiB: 1536.25,
      priority: -1000,
    });
    await admitted(ledger, {
      job: "f".repeat(60),
      pool: "a-pool-with-quite-a-long-name",
      spec,
      reason: "the pool has reached its limit of 8 GPUs",
    });
    const { Items = [] } = await access.base.send(new ScanCommand({ TableName: access.table }));
    const entry = Items.find((item) => item["pk"]?.S?.startsWith("Q#"));
    expect(entry).toBeDefined();
    expect(JSON.stringify(entry).length).toBeLessThan(450);
    expect(sizeOf(entry ?? {})).toBeLessThanOrEqual(300);
  });

  it("a notice of EC2 is kept although the node's drain is dropped between the two writes that record it", async () => {
    const access = await newTable();
    const { placements, nodeLedger, ...rest } = ledgerOn(access);
    const { fence, node } = await placed({ placements, nodeLedger, ...rest });
    const drain = { because: "Admin/ada drains it", untilMs: monday + 600_000, ordered: true } as const;
    await placements.drain(fence, { node: node.id, drain, atMs: monday });
    const isSecond = (input: string): boolean => input.includes("attribute_not_exists");
    const race = beforeNextWrite(access.base, () => placements.undrain(fence, { node: node.id, drain, atMs: monday }), isSecond);
    const notice = { kind: "interruption", atMs: monday } as const;
    await nodeLedger.noticed(node.id, notice, monday);
    expect(race.happened()).toBe(true);
    const now = await nodeLedger.get("gpu", node.id);
    expect(now).toMatchObject({ state: "draining", notice });
    expect(now?.drain).toBeUndefined();
  });

  it("the error about a broken item names its key and its field", async () => {
    const access = await newTable();
    const ledger = ledgerOn(access);
    const broken = {
      pk: { S: "J#vision#train-1" },
      sk: { S: "STATE" },
      team: { S: "vision" },
      job: { S: "train-1" },
      state: { S: "lost" },
    };
    await access.base.send(new PutItemCommand({ TableName: access.table, Item: broken }));
    await expect(ledger.sealing.get(aJob())).rejects.toMatchObject({
      name: "FleetError",
      code: "broken-item",
      retry: false,
      message: expect.stringMatching(/J#vision#train-1 STATE .*state: /),
    });
  });

  it("the item of an ended job expires after 30 days, and that of a forgotten node after 14 days", async () => {
    const access = await newTable();
    const ledger = ledgerOn(access);
    const { fence, node } = await placed(ledger);
    const attempt = { team: "vision", job: "train-1", attempt: 1 };
    const job = { from: "placed", to: "failed", reason: "no", failed: true } as const;
    await ledger.nodeLedger.change(reportedOn(node.id, monday), { attempt, job, assignment: "removed" });
    await ledger.placements.removeNode(fence, node.id, monday);
    const { Items = [] } = await access.base.send(new ScanCommand({ TableName: access.table }));
    const ttls = Items.filter((item) => item["ttl"]).map((item) => [item["pk"]?.S, Number(item["ttl"]?.N) - monday / 1000]);
    expect(new Map(ttls as [string, number][])).toEqual(
      new Map([
        ["J#vision#train-1", 30 * 86_400],
        ["TD#vision", 400 * 86_400],
        ["SP#gpu#2026-06", (29 + 397) * 86_400],
        ["ND#gpu", 14 * 86_400],
        ["LD#gpu", 14 * 86_400],
        [`I#${node.id}`, 14 * 86_400],
        // The cost of June expires thirteen months after its end.
        ["P#gpu", (30 + 396) * 86_400],
      ]),
    );
  });

  it("an attempt that begins in a restored table has a number above all those that the first table may have given", async () => {
    const access = await newTable();
    const { Table } = await access.base.send(new DescribeTableCommand({ TableName: access.table }));
    const createdAtMs = Table?.CreationDateTime?.getTime() ?? 0;
    // What a backup contains of the first table, which was created a day and a half a second earlier.
    const first = { ...firstTableKey, createdAtMs: createdAtMs - 86_400_500 };
    await access.client.send(new PutCommand({ TableName: access.table, Item: first }));
    const ledger = ledgerOn(access);
    const { fence, node, job } = await placed(ledger);
    const begun = { team: job.team, job: job.job, attempt: 8_640_100_001 };
    expect(await ledger.nodeLedger.job(job)).toMatchObject({ attempt: begun.attempt, state: "placed", node: node.id });
    expect((await ledger.nodeLedger.get("gpu", node.id))?.assignments).toMatchObject([begun]);
    expect((await ledger.jobReader.attempts({ ...job, limit: 10 })).attempts).toMatchObject([{ attempt: begun.attempt, nodes: [node.id] }]);
    const change = { from: "placed", to: "queued", reason: "stopped", failed: false } as const;
    const report = { attempt: begun, job: change, assignment: "removed" } as const;
    expect(await ledger.nodeLedger.change(reportedOn(node.id, monday + 90_000), report)).toBe("done");
    const [entry] = (await ledger.decisions.waiting("gpu", monday)).queue;
    expect(entry?.attempt).toBe(8_640_100_002);
    if (entry) expect(await ledger.placements.bind(fence, { entry, node, atMs: monday + 91_000 })).toBe("done");
    expect(await ledger.nodeLedger.job(job)).toMatchObject({ attempt: 8_640_100_002, state: "placed" });
  });

  it("a job that is older than its table is from a backup, even if the backup does not say when the first table was created", async () => {
    const access = await newTable();
    const { Table } = await access.base.send(new DescribeTableCommand({ TableName: access.table }));
    const createdAtMs = Table?.CreationDateTime?.getTime() ?? 0;
    const ledger = ledgerOn(access);
    const fence = await begin(ledger);
    const node = await readyNode(ledger, fence);
    const bound = async (job: string, submittedAtMs: number): Promise<number | undefined> => {
      const { entry } = await admitted(ledger, { job, submittedAtMs });
      expect(await ledger.placements.bind(fence, { entry, node, atMs: monday })).toBe("done");
      return (await ledger.nodeLedger.job(entry))?.attempt;
    };
    expect(await bound("new", createdAtMs + 1)).toBe(1);
    expect(await bound("old", createdAtMs - 60_000)).toBe(6_000_001);
  });

  it("a gang that begins in a restored table has the same number on all its nodes", async () => {
    const access = await newTable();
    await access.client.send(new PutCommand({ TableName: access.table, Item: { ...firstTableKey, createdAtMs: 0 } }));
    const ledger = ledgerOn(access);
    const { entry } = await admitted(ledger, { spec: aSpec({ nodes: 2 }) });
    const fence = await begin(ledger);
    const nodes = [newNode(), newNode({ id: "i-0000000000000002" })];
    await launched(ledger, fence, nodes);
    expect(await ledger.placements.bindGang(fence, { entry, nodes, atMs: monday })).toBe("done");
    const attempt = (await ledger.nodeLedger.job(entry))?.attempt ?? 0;
    expect(attempt).toBeGreaterThan(1e12);
    for (const { id } of nodes) expect((await ledger.nodeLedger.get("gpu", id))?.assignments).toMatchObject([{ attempt }]);
  });

  it("no attempt begins while it is not known which numbers it may have, and nothing else waits for that", async () => {
    const access = await newTable();
    const client = Object.assign(Object.create(access.client), {
      send: (command: unknown, ...rest: never[]) =>
        command instanceof DescribeTableCommand
          ? Promise.reject(Object.assign(new Error("no"), { name: "InternalServerError", $metadata: { httpStatusCode: 500 } }))
          : (access.client.send as (...all: unknown[]) => unknown).call(access.client, command, ...rest),
    });
    const ledger = ledgerOn({ ...access, client });
    const { entry } = await admitted(ledger);
    const fence = await begin(ledger);
    const node = await readyNode(ledger, fence);
    await expect(ledger.placements.bind(fence, { entry, node, atMs: monday })).rejects.toMatchObject({ code: "table", retry: true });
    await access.client.send(new PutCommand({ TableName: access.table, Item: { ...firstTableKey, createdAtMs: "noon" } }));
    const other = ledgerOn(access);
    await expect(other.placements.bind(fence, { entry, node, atMs: monday })).rejects.toMatchObject({ code: "table-unknown" });
    expect(await ledger.placements.fenceIdle(fence, node.id, monday)).toBe("done");
  });

  it.each([
    ["no team", undefined],
    ["a team, whose reservation is one part more", "vision"],
  ])("the nodes of the largest gang of %s are settled in one transaction, and each is found by its instance id", async (_of, team) => {
    const ledger = ledgerOn(await newTable());
    const fence = await begin(ledger);
    const nodes = Array.from({ length: 48 }, (_, n) => newNode({ id: `i-${String(n).padStart(17, "0")}`, team }));
    // More is reserved than the nodes cost, so that settling changes all the counters.
    const launch = aLaunch({ team, reserved: { usdPerHour: 100, gpus: 100 } });
    expect(await ledger.placements.intend(fence, launch, plenty)).toBe("done");
    expect(await ledger.placements.settle(fence, { launch, nodes, atMs: monday })).toBe("done");
    expect((await ledger.decisions.load("gpu", monday)).nodes).toHaveLength(48);
    for (const { id } of nodes) expect(await ledger.nodeLedger.gone(id, monday)).toEqual({ kind: "noted", pool: "gpu" });
  });

  it("a ring wakes the lane even if it had to be sent twice because its response was lost", async () => {
    const base = clientWithSmallPages();
    const access = await newTable(base);
    let lose = true;
    base.middlewareStack.add(
      (next) => async (args) => {
        const response = await next(args);
        if (!lose) return response;
        lose = false;
        throw Object.assign(new Error("socket hang up"), { name: "TimeoutError" });
      },
      { step: "deserialize", name: "lost-answer" },
    );
    const ledger = ledgerOn(access);
    expect(await ledger.bell.ring("gpu", "job")).toEqual({ wasQuiet: true });
    expect((await ledger.decisions.state("gpu")).bell).toBe(2);
  });

  it("the ledger reports that a node was launching before, even if the write that made it ready was sent twice", async () => {
    const base = clientWithSmallPages();
    const ledger = ledgerOn(await newTable(base));
    const { id } = newNode();
    await launched(ledger, await begin(ledger), [newNode()]);
    await ledger.nodeLedger.begin("gpu", id, monday);
    let lost = 0;
    base.middlewareStack.add(
      (next, context) => async (args) => {
        const response = await next(args);
        if (lost > 1 || context.commandName !== "UpdateItemCommand") return response;
        lost += 1;
        throw Object.assign(new Error("socket hang up"), { name: "TimeoutError" });
      },
      { step: "deserialize", name: "lost-answer" },
    );
    const call = callAt(monday + 60_000);
    expect(await ledger.nodeLedger.seen("gpu", id, call)).toMatchObject({ node: { state: "ready" }, joins: true });
    expect(lost).toBe(2);
    expect(await ledger.nodeLedger.seen("gpu", id, { ...call, atMs: call.atMs + 1 })).toMatchObject({ joins: false });
  });

  it("a transaction that conflicts with another one is retried, and the error says so if that does not end", async () => {
    const { access, ledger, meet } = await crowded();
    const { entry } = await admitted(ledger);
    const fence = await begin(ledger);
    meet(3, ["None", "TransactionConflict"]);
    expect(await ledger.placements.hold(fence, { entry, reason: "waits" })).toBe("done");
    meet(1, ["ThrottlingError", "None", "None"]);
    expect(await ledger.placements.hold(fence, { entry, reason: "waits more" })).toBe("done");
    meet(Number.POSITIVE_INFINITY, ["TransactionConflict"]);
    await expect(ledger.placements.hold(fence, { entry, reason: "no" })).rejects.toMatchObject({ code: "table-busy", retry: true });
    meet(1, ["ValidationError", "None"]);
    await expect(ledger.placements.hold(fence, { entry, reason: "no" })).rejects.toMatchObject({ code: "table", retry: false });
    expect((await createSealing(access).get(entry))?.reason).toBe("waits more");
  });

  it("a failed condition makes a transaction stale, whatever else it conflicts with", async () => {
    const { ledger, meet } = await crowded();
    const { entry } = await admitted(ledger);
    const fence = await begin(ledger);
    meet(1, ["ConditionalCheckFailed", "TransactionConflict", "None"]);
    expect(await ledger.placements.hold(fence, { entry, reason: "no" })).toBe("fenced");
    meet(1, ["TransactionConflict", "ConditionalCheckFailed", "None"]);
    expect(await ledger.placements.hold(fence, { entry, reason: "no" })).toBe("stale");
  });

  it("a transaction whose response was lost is done, and took effect once", async () => {
    const base = clientWithSmallPages();
    const access = await newTable(base);
    const ledger = ledgerOn(access);
    const { entry } = await admitted(ledger);
    const fence = await begin(ledger);
    let lose = true;
    base.middlewareStack.add(
      (next, context) => async (args) => {
        const response = await next(args);
        if (!lose || context.commandName !== "TransactWriteItemsCommand") return response;
        lose = false;
        throw Object.assign(new Error("socket hang up"), { name: "TimeoutError" });
      },
      { step: "deserialize", name: "lost-answer" },
    );
    expect(await ledger.placements.hold(fence, { entry, reason: "waits" })).toBe("done");
    expect(lose).toBe(false);
  });
});

/** A ledger whose transactions can be cancelled for given reasons before they reach the table. */
async function crowded() {
  const base = clientWithSmallPages();
  const access = await newTable(base);
  let left = 0;
  let reasons: readonly string[] = [];
  base.middlewareStack.add(
    (next, context) => (args) => {
      if (context.commandName !== "TransactWriteItemsCommand" || left <= 0) return next(args);
      left -= 1;
      throw new TransactionCanceledException({
        message: "cancelled",
        $metadata: { httpStatusCode: 400 },
        CancellationReasons: reasons.map((Code) => ({ Code })),
      });
    },
    { step: "initialize", name: "crowd" },
  );
  const meet = (times: number, why: readonly string[]): void => {
    left = times;
    reasons = why;
  };
  return { access, ledger: ledgerOn(access), meet };
}

/** Returns about the size of an item as DynamoDB counts it: names and values, and about half a byte per digit of a number. */
function sizeOf(item: Record<string, { S?: string; N?: string; L?: { S?: string }[]; BOOL?: boolean }>): number {
  return Object.entries(item).reduce((bytes, [name, value]) => {
    const list = value.L?.reduce((sum, each) => sum + 1 + (each.S?.length ?? 0), 3) ?? 0;
    return (
      bytes +
      name.length +
      (value.S?.length ?? 0) +
      Math.ceil((value.N?.length ?? 0) / 2) +
      (value.N ? 1 : 0) +
      (value.BOOL === undefined ? 0 : 1) +
      list
    );
  }, 0);
}
