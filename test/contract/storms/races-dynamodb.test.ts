import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import type { Job, QueueEntry } from "../../../lib/model/job.ts";
import type { Node } from "../../../lib/model/node.ts";
import type { Fence } from "../../../lib/ports/pool-ledger.ts";
import type { LedgerPorts } from "../../../lib/sim/memory/ledger-ports.ts";
import { aLaunch, anAssignment, monday } from "../../fakes/builders.ts";
import { ledgerOn, newTable } from "../dynamodb-ledger.ts";
import { beforeNextWrite } from "../race.ts";
import {
  admitted,
  begin,
  callAt,
  longAfter,
  newNode,
  placed,
  plenty,
  readyNode,
  reportedOn,
  sealing,
  takeBackLost,
} from "../suites/arrange.ts";

/** A ledger with one job, one node, and a fence of the newest decision. */
type Stage = { readonly ledger: LedgerPorts; readonly fence: Fence; readonly node: Node; readonly job: Job; readonly entry: QueueEntry };
type Act = (stage: Stage) => Promise<unknown>;

const atMs = monday + 120_000;
const attempt = { team: "vision", job: "train-1", attempt: 1 };
const on = ({ node }: Stage) => reportedOn(node.id, atMs);
const limits = { pool: { usdPerHour: 1.5, gpus: 9 } };

/** The job waits, and the node is ready and empty. */
async function waits(ledger: LedgerPorts): Promise<Omit<Stage, "ledger">> {
  const { job, entry } = await admitted(ledger);
  const fence = await begin(ledger);
  return { job, entry, fence, node: await readyNode(ledger, fence) };
}

/** What others may do between an operation's read and its write. */
const events = {
  "the job is cancelled": ({ ledger, job }) => ledger.cancellations.cancel(job, { reason: "not wanted", atMs }),
  "a newer decision begins": ({ ledger }) => ledger.decisions.begin("gpu"),
  "the worker reports the start": (stage) => {
    const job = { from: "placed", to: "running", startedAtMs: atMs, failed: false } as const;
    return stage.ledger.nodeLedger.change(on(stage), { attempt, job, assignment: "running" });
  },
  "the worker reports a failure": (stage) => {
    const job = { from: "placed", to: "queued", reason: "exit code 3", failed: true } as const;
    return stage.ledger.nodeLedger.change(on(stage), { attempt, job, assignment: "removed" });
  },
  "the worker gives up its upload": (stage) => {
    const job = { from: "sealing", to: "queued", reason: "no upload", failed: false } as const;
    return stage.ledger.nodeLedger.change(on(stage), { attempt, job, assignment: "removed" });
  },
  "the artifacts are sealed": ({ ledger }) => ledger.sealing.succeed(attempt, {}, atMs),
  "the worker calls": ({ ledger, node }) => ledger.nodeLedger.seen("gpu", node.id, callAt(longAfter)),
  "another process of the worker begins": ({ ledger, node }) => ledger.nodeLedger.begin("gpu", node.id, atMs),
  "the instance ends": ({ ledger, node }) => ledger.nodeLedger.gone(node.id, atMs),
  "EC2 announces an interruption": ({ ledger, node }) => ledger.nodeLedger.noticed(node.id, { kind: "interruption", atMs }, atMs),
  "the job is placed": ({ ledger, fence, entry, node }) => ledger.placements.bind(fence, { entry, node, atMs }),
  "the node is terminated": ({ ledger, fence, node }) => ledger.placements.terminating(fence, node.id, atMs),
  "another launch takes what the limit leaves": ({ ledger, fence }) =>
    ledger.placements.intend(fence, aLaunch({ id: "other", clientToken: "other", reserved: { usdPerHour: 1, gpus: 1 } }), plenty),
} as const satisfies Readonly<Record<string, Act>>;

type Event = keyof typeof events;

/** Operations that read before they write, or whose conditions must hold when they write. */
const operations: readonly (readonly [string, (ledger: LedgerPorts) => Promise<Omit<Stage, "ledger">>, Act, readonly Event[]])[] = [
  [
    "binding a job",
    waits,
    ({ ledger, fence, entry, node }) => ledger.placements.bind(fence, { entry, node, atMs }),
    ["the job is cancelled", "a newer decision begins", "the instance ends", "EC2 announces an interruption", "the node is terminated"],
  ],
  [
    "binding a gang",
    waits,
    ({ ledger, fence, entry, node }) => ledger.placements.bindGang(fence, { entry, nodes: [node], atMs }),
    ["the job is cancelled", "a newer decision begins", "EC2 announces an interruption", "the job is placed"],
  ],
  [
    "failing a job that waits",
    waits,
    ({ ledger, fence }) => ledger.placements.fail(fence, { attempt, failure: "never-fits", reason: "it never fits", atMs }),
    ["the job is cancelled", "a newer decision begins", "the job is placed"],
  ],
  [
    "moving a job",
    waits,
    ({ ledger, fence, entry }) => ledger.placements.move(fence, { entry, to: "cpu", reason: "no room" }),
    ["the job is cancelled", "a newer decision begins", "the job is placed"],
  ],
  [
    "writing why a job waits",
    waits,
    ({ ledger, fence, entry }) => ledger.placements.hold(fence, { entry, reason: "no room" }),
    ["the job is cancelled", "a newer decision begins", "the job is placed"],
  ],
  [
    "cancelling a job that waits",
    waits,
    ({ ledger, job }) => ledger.cancellations.cancel(job, { reason: "by vision", atMs }),
    ["the job is cancelled", "the job is placed", "a newer decision begins"],
  ],
  [
    "cancelling many jobs",
    waits,
    ({ ledger, job }) => ledger.cancellations.cancelAll([job], { reason: "by vision", atMs, states: ["queued"] }),
    ["the job is cancelled", "the job is placed"],
  ],
  [
    "fencing an idle node",
    waits,
    ({ ledger, fence, node }) => ledger.placements.fenceIdle(fence, node.id, atMs),
    ["a newer decision begins", "the job is placed", "the node is terminated", "EC2 announces an interruption"],
  ],
  [
    "terminating a node",
    waits,
    ({ ledger, fence, node }) => ledger.placements.terminating(fence, node.id, atMs),
    ["a newer decision begins", "the instance ends", "the node is terminated"],
  ],
  [
    "removing a node",
    waits,
    ({ ledger, fence, node }) => ledger.placements.removeNode(fence, node.id, atMs),
    ["a newer decision begins", "the job is placed", "the node is terminated"],
  ],
  [
    "reserving a launch",
    waits,
    ({ ledger, fence }) => ledger.placements.intend(fence, aLaunch({ id: "next", clientToken: "next" }), limits),
    ["a newer decision begins", "another launch takes what the limit leaves"],
  ],
  [
    "taking a placed job back",
    placed,
    takeBack,
    [
      "the job is cancelled",
      "a newer decision begins",
      "the worker reports the start",
      "the worker reports a failure",
      "the worker calls",
      "the instance ends",
    ],
  ],
  [
    "reporting that a job runs",
    placed,
    events["the worker reports the start"],
    ["the job is cancelled", "the worker reports the start", "the worker reports a failure", "a newer decision begins"],
  ],
  [
    "reporting that a job has failed",
    placed,
    events["the worker reports a failure"],
    ["the job is cancelled", "the worker reports the start", "the worker reports a failure", "a newer decision begins"],
  ],
  [
    "reporting that a stopped job has left its node",
    placed,
    (stage) => stage.ledger.nodeLedger.change(on(stage), { attempt, assignment: "removed" }),
    ["the job is cancelled", "the worker reports the start", "the worker reports a failure"],
  ],
  [
    "cancelling a placed job",
    placed,
    ({ ledger, job }) => ledger.cancellations.cancel(job, { reason: "by vision", atMs }),
    ["the job is cancelled", "the worker reports the start", "the worker reports a failure"],
  ],
  [
    "draining a node",
    placed,
    ({ ledger, fence, node }) =>
      ledger.placements.drain(fence, { node: node.id, drain: { because: "its life ends", untilMs: longAfter }, atMs }),
    ["a newer decision begins", "the instance ends", "the node is terminated", "EC2 announces an interruption"],
  ],
  [
    "recording a worker's call",
    waits,
    ({ ledger, node }) => ledger.nodeLedger.seen("gpu", node.id, callAt(longAfter - 1_000)),
    ["the worker calls", "another process of the worker begins", "EC2 announces an interruption"],
  ],
  [
    "taking a job back that waits to be sealed",
    sealing,
    takeBackUpload,
    ["the job is cancelled", "a newer decision begins", "the artifacts are sealed", "the worker gives up its upload", "the worker calls"],
  ],
  [
    "ending a sealed job",
    sealing,
    events["the artifacts are sealed"],
    ["the job is cancelled", "the artifacts are sealed", "the worker gives up its upload"],
  ],
  [
    "giving up an upload",
    sealing,
    events["the worker gives up its upload"],
    ["the job is cancelled", "the artifacts are sealed", "the worker gives up its upload"],
  ],
];

function takeBack({ ledger, fence, node }: Stage): Promise<unknown> {
  return takeBackLost(ledger, fence, { node: node.id, assignment: anAssignment(), reason: "lost", atMs: longAfter });
}

function takeBackUpload({ ledger, fence, node }: Stage): Promise<unknown> {
  const assignment = anAssignment({ phase: "uploading", process: "p1" });
  return takeBackLost(ledger, fence, { node: node.id, assignment, reason: "lost", atMs: longAfter });
}

async function stageOf(arrange: (ledger: LedgerPorts) => Promise<Omit<Stage, "ledger">>) {
  const access = await newTable();
  const ledger = ledgerOn(access);
  const stage: Stage = { ledger, ...(await arrange(ledger)) };
  // Another process: within one, writes to counters wait for each other.
  const elsewhere: Stage = { ...stage, ledger: ledgerOn(access) };
  /** Returns everything that is stored. */
  const stored = async (): Promise<unknown> => {
    const { Items = [] } = await access.base.send(new ScanCommand({ TableName: access.table, ConsistentRead: true }));
    // Which of the equal copies of the epoch a transaction checks does not matter, and neither does the order of a set.
    return Items.map((item) => JSON.stringify(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();
  };
  return { base: access.base, stage, elsewhere, stored };
}

const cases = operations.flatMap(([name, arrange, operation, during]) =>
  during.map((event) => [name, event, { arrange, operation, does: events[event] as Act }] as const),
);

describe("an operation that another writer overtakes between its read and its write", () => {
  it.each(cases)("%s has the same result as if %s first", async (_name, _event, { arrange, operation, does }) => {
    const [raced, inOrder] = [await stageOf(arrange), await stageOf(arrange)];
    const race = beforeNextWrite(raced.base, () => does(raced.elsewhere));
    const outcome = await operation(raced.stage);
    expect(race.happened()).toBe(true);
    await does(inOrder.elsewhere);
    expect(outcome).toEqual(await operation(inOrder.stage));
    expect(await raced.stored()).toEqual(await inOrder.stored());
  });
});

describe("a decision that a newer one overtakes while it begins", () => {
  it("an older decision that hears the bell after a newer one does not take its place", async () => {
    const access = await newTable();
    const ledger = ledgerOn(access);
    await ledger.bell.ring("gpu", "job");
    let newer: Awaited<ReturnType<typeof ledger.decisions.begin>> | undefined;
    const race = beforeNextWrite(
      access.base,
      async () => {
        newer = await ledger.decisions.begin("gpu");
      },
      (input) => input.includes("decider"),
    );
    const older = await ledger.decisions.begin("gpu");
    expect(race.happened()).toBe(true);
    expect([older.fence.epoch, newer?.fence.epoch]).toEqual([1, 2]);
    expect(newer && (await ledger.decisions.finish(newer.fence, { ringsSeen: newer.ringsSeen, busy: false }))).toBe("quiet");
    expect(await ledger.decisions.finish(older.fence, { ringsSeen: older.ringsSeen, busy: false })).toBe("fenced");
  });

  it("an older decision that raises its fences after a newer one cannot write, and the newer one can", async () => {
    const access = await newTable();
    const ledger = ledgerOn(access);
    const { entry } = await admitted(ledger);
    let newer: Fence | undefined;
    const race = beforeNextWrite(
      access.base,
      async () => {
        newer = await begin(ledger);
      },
      (input) => input.includes("FENCE#"),
    );
    const older = await begin(ledger);
    expect(race.happened()).toBe(true);
    expect(await ledger.placements.hold(older, { entry, reason: "old" })).toBe("fenced");
    expect(newer && (await ledger.placements.hold(newer, { entry, reason: "new" }))).toBe("done");
  });

  it("a node that a newer decision has settled is not lost when an older one settles the same launch", async () => {
    const access = await newTable();
    const ledger = ledgerOn(access);
    const old = await begin(ledger);
    const launch = aLaunch();
    await ledger.placements.intend(old, launch, plenty);
    const race = beforeNextWrite(access.base, async () => {
      const elsewhere = ledgerOn(access);
      await elsewhere.placements.settle(await begin(elsewhere), { launch, nodes: [newNode()], atMs });
    });
    expect(await ledger.placements.settle(old, { launch, nodes: [], atMs })).toBe("fenced");
    expect(race.happened()).toBe(true);
    expect(await ledger.decisions.load("gpu", monday)).toMatchObject({ nodes: [{ id: newNode().id }], reserved: { gpus: 1 } });
  });
});
