import { PutItemCommand, ScanCommand, TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { describe, expect, it } from "vitest";
import { createSealing } from "../../lib/aws/table/jobs/sealing.ts";
import { nodeKey } from "../../lib/aws/table/keys.ts";
import { aJob, aLaunch, aSpec, monday } from "../fakes/builders.ts";
import { clientWithSmallPages, ledgerOn, newTable } from "./dynamodb-ledger.ts";
import { admitted, begin, callAt, launched, newNode, placed, plenty, reportedOn } from "./suites/arrange.ts";
import { ledgerContract } from "./suites/ledger.ts";

describe("the ledger in DynamoDB", () => {
  // One client for all tests, because a new one would open connections and read its settings again.
  const base = clientWithSmallPages();
  ledgerContract(async () => ledgerOn(await newTable(base)));
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

  it.each([
    [1, false],
    [3, true],
  ])("an open launch of %i nodes of the last release is read, in which several were always a gang's", async (count, whole) => {
    const access = await newTable();
    const { whole: _unknown, ...launch } = aLaunch({ count });
    await access.client.send(new PutCommand({ TableName: access.table, Item: { ...launch, pk: "L#gpu", sk: launch.id } }));
    expect((await ledgerOn(access).decisions.load("gpu", monday)).openLaunches).toEqual([{ ...launch, whole }]);
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
        ["SP#gpu#2026-06", (29 + 397) * 86_400],
        ["ND#gpu", 14 * 86_400],
        ["LD#gpu", 14 * 86_400],
        [`I#${node.id}`, 14 * 86_400],
        // The cost of June expires thirteen months after its end.
        ["P#gpu", (30 + 396) * 86_400],
      ]),
    );
  });

  it("only what was reserved beyond the pool is released there, which excludes intents and nodes of an earlier release", async () => {
    const access = await newTable();
    const ledger = ledgerOn(access);
    const fence = await begin(ledger);
    const older = async (pk: string, sk: string): Promise<void> => {
      const command = new UpdateCommand({ TableName: access.table, Key: { pk, sk }, UpdateExpression: "REMOVE countsWider" });
      await access.client.send(command);
    };
    const wider = async () => (await ledger.decisions.load("gpu", monday)).reservedWider.deployment;
    const [old, young] = [newNode(), newNode({ id: "i-0000000000000002" })];
    const launch = aLaunch({ reserved: { usdPerHour: 3, gpus: 4 } });
    await ledger.placements.intend(fence, launch, plenty);
    await older("L#gpu", launch.id);
    await ledger.placements.settle(fence, { launch, nodes: [old, young], atMs: monday });
    // The intent reserved 3 here, because this release wrote it. An intent of an earlier release would have reserved nothing.
    expect(await wider()).toEqual({ usdPerHour: 4, gpus: 6 });
    await older(nodeKey("gpu", old.id).pk, old.id);
    await ledger.placements.removeNode(fence, old.id, monday);
    expect(await wider()).toEqual({ usdPerHour: 4, gpus: 6 });
    await ledger.placements.removeNode(fence, young.id, monday);
    expect(await wider()).toEqual({ usdPerHour: 3.5, gpus: 5 });
    expect((await ledger.decisions.state("gpu")).reserved).toEqual({ usdPerHour: 0, gpus: 0 });
  });

  it("the nodes of the largest gang are settled in one transaction, and each is found by its instance id", async () => {
    const ledger = ledgerOn(await newTable());
    const fence = await begin(ledger);
    const nodes = Array.from({ length: 48 }, (_, n) => newNode({ id: `i-${String(n).padStart(17, "0")}` }));
    await launched(ledger, fence, nodes);
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
    expect(await ledger.nodeLedger.seen("gpu", id, call)).toMatchObject({ node: { state: "ready" }, first: true });
    expect(lost).toBe(2);
    expect(await ledger.nodeLedger.seen("gpu", id, { ...call, atMs: call.atMs + 1 })).toMatchObject({ first: false });
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
