import { afterEach, describe, expect, it } from "vitest";
import { addDataset, datasets, removeDataset, showDataset } from "../../../lib/cli/commands/datasets.ts";
import { decision, decisions } from "../../../lib/cli/commands/decisions.ts";
import { interrupt } from "../../../lib/cli/commands/interrupt.ts";
import { cancel, requeue } from "../../../lib/cli/commands/jobs/cancel.ts";
import { job } from "../../../lib/cli/commands/jobs/job.ts";
import { jobs } from "../../../lib/cli/commands/jobs/jobs.ts";
import { node, nodes } from "../../../lib/cli/commands/nodes.ts";
import { pool, pools } from "../../../lib/cli/commands/pools.ts";
import { problems } from "../../../lib/cli/commands/problems.ts";
import type { Context } from "../../../lib/cli/session/context.ts";
import {
  aDatasetDetail,
  aDatasetView,
  aDeadQueueView,
  aDecisionSummary,
  aDecisionView,
  aJobSummary,
  aJobView,
  aMe,
  aNodeView,
  anAttemptView,
  aPoolView,
  at,
} from "./api-samples.ts";
import { aContext, type FakeApi, problem, type Routes, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
afterEach(() => api.close());
const start = async (routes: Routes) => {
  api = await startFakeApi(routes);
  return aContext(api);
};
const team = "research";
const id = "i-0123456789abcdef0";
const held = aNodeView().assignments[0];

/** Runs a command for people and for programs. Both must succeed, and must print the result only on stdout. */
async function both(routes: Routes, command: (options: { json?: boolean }, on: Context) => Promise<number>) {
  const { on, printed } = await start(routes);
  expect(await command({}, on)).toBe(0);
  const human = [...printed.out];
  expect(await command({ json: true }, on)).toBe(0);
  const json = printed.out.slice(human.length);
  expect(json).toHaveLength(1);
  for (const line of human.slice(0, 40)) expect(line).toBe(line.trimEnd());
  return { human, value: JSON.parse(json[0] ?? ""), note: printed.note };
}

describe("fleet jobs", () => {
  const path = "GET /v1/teams/research/jobs";
  it("fleet jobs prints a table within 100 columns, or a JSON list", async () => {
    const long = aJobSummary({ job: "b", state: "queued", node: undefined, startedAt: undefined, reason: "x".repeat(200) });
    const routes = { [path]: { body: { items: [aJobSummary(), long], cursor: "c" } } };
    const { human, value, note } = await both(routes, (options, on) => jobs({ team, limit: 2, state: "running", ...options }, on));
    expect(human[0]).toMatch(/^ID +STATE +ATTEMPTS +AGE +POOL +NODE +REASON$/);
    expect(human[1]).toMatch(/^train-7 +running +1 +1 h +gpu +i-0123456789abcdef0$/);
    expect(human[2]).toMatch(/^b +queued +0 +1 h +gpu +- +x+…$/);
    expect(Math.max(...human.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(note).toEqual(["there are more: raise --limit, or continue with --cursor c"]);
    expect(value).toMatchObject({
      jobs: [
        { id: "train-7", waitMs: 62_000, attempts: 1 },
        { id: "b", startedAt: null },
      ],
      cursor: "c",
    });
    expect(value.jobs[0]).not.toHaveProperty("artifacts");
    expect(api.calls[0]?.query).toEqual({ limit: "2", state: "running" });
  });

  it("fleet jobs says how to submit a job if there is none, and names the states", async () => {
    const { on, printed } = await start({ [path]: { body: { items: [] } } });
    await jobs({ team, limit: 20 }, on);
    expect(printed.out).toEqual(["team research has no jobs; submit one with: fleet submit FILE --team research"]);
    await expect(jobs({ team, limit: 20, state: "gone" }, on)).rejects.toThrow(/no state gone; there are: rejected, queued/);
  });
});

describe("fleet job", () => {
  const path = "GET /v1/teams/research/jobs/train-7";
  it("fleet job prints what is known about a job", async () => {
    const view = aJobView({ artifacts: { files: 3, bytes: 2_048, leftOut: 0, missing: [], lost: 1 } });
    const { human, value } = await both({ [path]: { body: view }, [`${path}/attempts`]: { body: { items: [] } } }, (options, on) =>
      job("train-7", { team, ...options }, on),
    );
    expect(human).toContain("state      running");
    expect(human).toContain("artifacts  3 files, 2 KiB; 1 lost");
    expect(value).toMatchObject({ id: "train-7", artifacts: { files: 3 }, spec: { command: ["python", "train.py"] }, history: [] });
  });

  it("fleet job lists the attempts with their ends and costs, and names the call that lists older ones", async () => {
    const lost = anAttemptView({ end: "interrupted", endedAt: at(3_600), reason: "EC2 took its node back", exitCode: 137 });
    const gang = anAttemptView({ attempt: 2, nodes: ["i-0aaaaaaaaaaaaaaaa", "i-0bbbbbbbbbbbbbbbb"], market: "on-demand" });
    const routes = { [path]: { body: aJobView() }, [`${path}/attempts`]: { body: { items: [gang, lost], cursor: "1" } } };
    const { human, value, note } = await both(routes, (options, on) => job("train-7", { team, ...options }, on));
    const [title, second, first] = human.slice(human.indexOf("") + 1);
    expect(title).toMatch(/^ATTEMPT +END +RAN +COST +TYPE +ZONE +NODE +EXIT +REASON$/);
    expect(second).toMatch(/^ +2 +running +58 min 58 s +\$0\.50 +g5\.xlarge on-demand +us-east-1a +i-0aaaaaaaaaaaaaaaa \+1 +-$/);
    expect(first).toMatch(/^ +1 +interrupted +58 min 58 s +\$0\.50 +g5\.xlarge spot +us-east-1a +i-0123456789abcdef0 +137 +EC2 took/);
    expect(note[0]).toMatch(/^there are older attempts: .* api '?\/v1\/teams\/research\/jobs\/train-7\/attempts\?cursor=1'?$/);
    expect(value.history).toMatchObject([
      { attempt: 2, end: null, exitCode: null },
      { attempt: 1, end: "interrupted", costUsd: 0.5, endedAt: at(3_600) },
    ]);
  });

  it("fleet job says how to list jobs if the job does not exist", async () => {
    const { on } = await start({});
    await expect(job("nobody", { team }, on)).rejects.toThrow(/team research has no job nobody .*fleet jobs --team research/);
  });

  it("fleet job reports that the caller may not see a job", async () => {
    const { on } = await start({ "GET /v1/teams/research/jobs/x": problem(403, "denied", "You may not speak for research.") });
    await expect(job("x", { team }, on)).rejects.toMatchObject({ code: "denied", message: "You may not speak for research." });
  });
});

describe("fleet problems", () => {
  const item = { kind: "node", key: "N#gpu i-0a", why: "the item N#gpu i-0a is broken: state: invalid" };
  it("fleet problems names each item that cannot be read once, and exits with 1", async () => {
    const items = [aPoolView({ unreadable: [item] }), aPoolView({ pool: "lab", unreadable: [item] })];
    const { on, printed } = await start({ "GET /v1/pools": { body: { items } }, "GET /v1/dead-letters": { body: { items: [] } } });
    expect(await problems({}, on)).toBe(1);
    expect(printed.out).toHaveLength(5);
    expect(printed.out[1]).toMatch(/^gpu +node +N#gpu i-0a +the item N#gpu i-0a is broken/);
    expect(await problems({ json: true }, on)).toBe(1);
    expect(JSON.parse(printed.out.at(-1) ?? "")).toEqual({
      unreadable: [{ pool: "gpu", ...item }],
      deadLetters: [],
      failing: [],
      waiting: [],
    });
  });

  it("fleet problems names each step that has failed more than once, with the reason and the time of the next try", async () => {
    const backOff = {
      what: "end i-0a",
      failures: 4,
      since: "2026-03-02T09:00:00.000Z",
      retryAt: "2099-03-02T09:00:00.000Z",
      why: "EC2 refuses to end it",
    };
    const items = [aPoolView({ unreadable: [], backOffs: [backOff, { ...backOff, what: "end i-0b", failures: 1 }] })];
    const { on, printed } = await start({ "GET /v1/pools": { body: { items } }, "GET /v1/dead-letters": { body: { items: [] } } });
    expect(await problems({}, on)).toBe(1);
    expect(printed.out.slice(-3, -1)).toEqual([
      expect.stringMatching(/^POOL +STEP +FAILED +FOR +NEXT +WHY$/),
      expect.stringMatching(/^gpu +end i-0a +4 times .* in .* EC2 refuses to end it$/),
    ]);
    expect(await problems({ json: true }, on)).toBe(1);
    expect(JSON.parse(printed.out.at(-1) ?? "").failing).toEqual([{ pool: "gpu", ...backOff }]);
  });

  it("fleet problems says if there are none, and that only admins see them", async () => {
    const { on, printed } = await start({
      "GET /v1/pools": [{ body: { items: [aPoolView({ unreadable: [] })] } }, { body: { items: [aPoolView()] } }],
      "GET /v1/dead-letters": { body: { items: [aDeadQueueView({ count: 0, letters: [] })] } },
    });
    expect(await problems({}, on)).toBe(0);
    expect(printed.out).toEqual([
      "every item of every pool can be read",
      "no message is among the dead letters",
      "no step of a decision keeps failing",
      "no work waits for EC2's word on its node",
    ]);
    await expect(problems({}, on)).rejects.toThrow(/only admins see/);
  });
});

describe("fleet requeue", () => {
  it("fleet requeue stops the attempt that runs of each job, continues after one that is not running, and then exits with 1", async () => {
    const { on, printed } = await start({
      "GET /v1/teams/research/jobs/train-7": { body: aJobView({ attempt: 2 }) },
      "GET /v1/teams/research/jobs/waits": { body: aJobView({ job: "waits", state: "queued" }) },
      "POST /v1/teams/research/jobs/train-7/requeue": { body: aJobView({ attempt: 2 }) },
      "POST /v1/teams/research/jobs/waits/requeue": problem(409, "conflict", "The job is not running: it is queued."),
    });
    expect(await requeue(["waits", "nobody", "train-7"], { team, reason: "it hangs" }, on)).toBe(1);
    expect(printed.out).toEqual(["train-7: attempt 2 is being stopped"]);
    expect(printed.note).toEqual([
      "fleet: waits: The job is not running: it is queued.",
      expect.stringMatching(/^fleet: team research has no job nobody/),
    ]);
    expect(api.calls.at(-1)?.body).toEqual({ attempt: 2, reason: "it hangs" });
    expect(await requeue(["train-7"], { team, json: true }, on)).toBe(0);
    expect(JSON.parse(printed.out.at(-1) ?? "")).toMatchObject([{ id: "train-7", state: "running" }]);
  });

  it("fleet requeue --wait waits for the attempt that was stopped, and not for the next one on the same node", async () => {
    const { on, printed, pauses } = await start({
      "GET /v1/teams/research/jobs/train-7": { body: aJobView() },
      "POST /v1/teams/research/jobs/train-7/requeue": { body: aJobView() },
      [`GET /v1/nodes/${id}`]: [{ body: aNodeView() }, { body: aNodeView({ assignments: [{ ...held, attempt: 9 }] }) }],
    });
    expect(await requeue(["train-7"], { team, wait: true }, on)).toBe(0);
    expect(pauses).toEqual([500]);
    expect(printed.out).toEqual([`train-7: attempt ${aJobView().attempt} has stopped`]);
  });
});

describe("fleet cancel", () => {
  const cancelled = aJobView({ state: "cancelled" });
  it("fleet cancel cancels each job, continues after one that cannot be cancelled, and then exits with 1", async () => {
    const routes = {
      "POST /v1/teams/research/jobs/a/cancel": { body: cancelled },
      "POST /v1/teams/research/jobs/done/cancel": problem(409, "conflict", "It has ended already: it is succeeded."),
      "POST /v1/teams/research/jobs/b/cancel": { body: cancelled },
    };
    const { on, printed } = await start(routes);
    expect(await cancel(["a", "done", "nobody", "b"], { team, reason: "wrong data" }, on)).toBe(1);
    expect(printed.out).toEqual(["a is cancelled", "b is cancelled"]);
    expect(printed.note).toEqual([
      "fleet: done: It has ended already: it is succeeded.",
      expect.stringMatching(/^fleet: team research has no job nobody/),
    ]);
    expect(api.calls[0]?.body).toEqual({ reason: "wrong data" });
    expect(await cancel(["a"], { team, json: true }, on)).toBe(0);
    expect(JSON.parse(printed.out.at(-1) ?? "")).toMatchObject([{ id: "train-7", state: "cancelled" }]);
    expect(api.calls.at(-1)?.body).toEqual({});
  });

  it("fleet cancel --wait waits until no node holds the job", async () => {
    const { on, printed, pauses } = await start({
      "GET /v1/teams/research/jobs/train-7": { body: aJobView() },
      "POST /v1/teams/research/jobs/train-7/cancel": { body: aJobView({ state: "cancelled", node: undefined }) },
      [`GET /v1/nodes/${id}`]: [{ body: aNodeView() }, { body: aNodeView({ assignments: [] }) }],
    });
    expect(await cancel(["train-7"], { team, wait: true }, on)).toBe(0);
    expect(pauses).toEqual([500]);
    expect(api.calls.filter(({ path }) => path.startsWith("/v1/nodes/"))).toHaveLength(2);
    expect(printed.out).toEqual(["train-7 is cancelled"]);
  });

  it.each([
    ["is uploading what it left", { body: aNodeView({ assignments: [{ ...held, phase: "uploading" }] }) }],
    ["holds another job", { body: aNodeView({ assignments: [{ ...held, job: "train-8" }] }) }],
    ["holds another team's job of that name", { body: aNodeView({ assignments: [{ ...held, team: "vision" }] }) }],
    ["is gone", { body: aNodeView({ state: "gone" }) }],
    ["is not known any more", problem(404, "not-found", "There is no such node.")],
  ])("fleet cancel --wait does not wait for a node that %s", async (_what, node) => {
    const { on } = await start({
      "GET /v1/teams/research/jobs/train-7": { body: aJobView() },
      "POST /v1/teams/research/jobs/train-7/cancel": { body: aJobView({ state: "cancelled", node: undefined }) },
      [`GET /v1/nodes/${id}`]: node,
    });
    expect(await cancel(["train-7"], { team, wait: true }, on)).toBe(0);
    expect(api.calls.filter(({ path }) => path.startsWith("/v1/nodes/"))).toHaveLength(1);
  });

  it("fleet cancel --wait waits for every node of a gang, and fails if a node cannot be read", async () => {
    const gang = ["i-0a", "i-0b"];
    const { on } = await start({
      "GET /v1/teams/research/jobs/train-7": { body: aJobView({ gang }) },
      "POST /v1/teams/research/jobs/train-7/cancel": { body: aJobView({ state: "cancelled", node: undefined }) },
      "GET /v1/nodes/i-0a": { body: aNodeView({ assignments: [] }) },
      "GET /v1/nodes/i-0b": problem(403, "denied", "You may not."),
    });
    await expect(cancel(["train-7"], { team, wait: true }, on)).rejects.toMatchObject({ code: "denied" });
    expect(api.calls.slice(2).map(({ path }) => path)).toEqual(["/v1/nodes/i-0a", "/v1/nodes/i-0b"]);
  });

  it("fleet cancel stops if access is denied", async () => {
    const { on, printed } = await start({ "POST /v1/teams/research/jobs/a/cancel": { status: 403, body: { Message: "Forbidden" } } });
    await expect(cancel(["a", "b"], { team }, on)).rejects.toMatchObject({ code: "denied" });
    expect(printed.note).toEqual([]);
    expect(api.calls).toHaveLength(1);
  });
});

describe("fleet nodes and fleet node", () => {
  it("fleet nodes prints a table within 100 columns, or a JSON list", async () => {
    const noticed = aNodeView({ node: "i-0b", state: "draining", notice: { kind: "interruption", at: at(3_500) }, samples: undefined });
    const silent = aNodeView({ node: "i-0c", silent: true });
    const { human, value } = await both({ "GET /v1/nodes": { body: { items: [aNodeView(), noticed, silent] } } }, (options, on) =>
      nodes({ limit: 20, pool: "gpu", ...options }, on),
    );
    expect(human[1]).toMatch(/^i-0123456789abcdef0 +ready +gpu +g5\.xlarge +spot +\$0\.526\/h +1 +87% +1 +1 h$/);
    expect(human[2]).toMatch(/^i-0b +draining ! .* - +1 +1 h$/);
    expect(human[3]).toMatch(/^i-0c +ready, silent +gpu /);
    expect(Math.max(...human.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(value).toMatchObject({ nodes: [{ node: id }, { node: "i-0b" }, { node: "i-0c", silent: true }], cursor: null });
    expect(api.calls[0]?.query).toEqual({ limit: "20", pool: "gpu" });
  });

  it("fleet nodes says that nothing costs money if there are no nodes", async () => {
    const { on, printed } = await start({ "GET /v1/nodes": { body: { items: [] } } });
    await nodes({ limit: 20 }, on);
    expect(printed.out.join("")).toMatch(/no nodes: no instance runs or costs anything/);
    await expect(nodes({ limit: 20, pool: "big" }, on)).rejects.toThrow(/no pool big; there are: gpu/);
  });

  it("fleet node prints what is known about a node", async () => {
    const { human, value } = await both({ [`GET /v1/nodes/${id}`]: { body: aNodeView() } }, (options, on) => node(id, options, on));
    expect(human).toContain("type       g5.xlarge in us-east-1a, spot at $0.526/h");
    expect(human).toContain("holds      research/train-7, attempt 1: running, 1 GPU");
    expect(human).toContain("GPU 0      A10G, 87% busy, 1024 of 23028 MiB, 150 W, 61 °C");
    expect(human).toContain("data       research/images: 3 shards, 3 MiB");
    expect(human).toContain("last seen  2026-06-01 00:59:50 UTC, 10 s ago");
    expect(value).toMatchObject({ node: id, usdPerHour: 0.526 });
    const { on } = aContext(api);
    await expect(node("i-0c", {}, on)).rejects.toThrow("there is no node i-0c; list them with: fleet nodes");
  });
});

describe("fleet pools and fleet pool", () => {
  it("fleet pools prints a table, or a JSON list", async () => {
    const { human, value } = await both({ "GET /v1/pools": { body: { items: [aPoolView()] } } }, pools);
    expect(human[1]).toMatch(/^gpu +active +3 +1 min +1 launching, 2 ready +\$0\.526\/h of \$10\/h +1 of 8 +g4dn g5$/);
    expect(value).toMatchObject({ pools: [{ pool: "gpu", decisions: 42 }] });
    const reserved = { usdPerHour: 1, gpus: 2 };
    const limited = {
      items: [aPoolView()],
      deployment: { limits: { usdPerHour: 40 }, reserved },
      teams: [
        { team: "research", limits: {}, reserved },
        { team: "vision", limits: { usdPerHour: 5, gpus: 4 }, reserved },
      ],
    };
    const over = await both({ "GET /v1/pools": { body: limited } }, pools);
    expect(over.human.join("\n")).toMatch(/all pools +\$1\/h of \$40\/h, 2 GPUs/);
    expect(over.human.join("\n")).toMatch(/team vision +\$1\/h of \$5\/h, 2 of 4 GPUs/);
    expect(over.human.join("\n")).not.toMatch(/team research/);
    expect(value).not.toHaveProperty("deployment");
  });

  it("fleet pool prints a pool's policy, limits, spending, queue and launches", async () => {
    const { human, value } = await both({ "GET /v1/pools/gpu": { body: aPoolView() } }, (options, on) => pool("gpu", options, on));
    expect(human).toContain("spent      $1.50 of $50.00 today, $20.26 this month (UTC)");
    expect(human.find((line) => line.startsWith("by audio"))).toMatch(/not known: its record cannot be read$/);
    expect(human.find((line) => line.startsWith("by research"))).toMatch(/ \$1\.00 today, \$12\.00 of \$30\.00 this month$/);
    expect(human).toContain("queue      3 jobs waiting, the oldest for 1 min");
    expect(human).toContain("launching  1 spot node: g5.xlarge or g5.2xlarge, requested 2026-06-01 00:59:55 UTC, 5 s ago");
    expect(human.join("\n")).toMatch(/refused +g4dn\.xlarge spot in us-east-1b \(InsufficientInstanceCapacity\); next try in 1 min /m);
    expect(human.join("\n")).toMatch(
      /^learned +which packing engine is best, from 12 trials on 1 kind of problem; reset it with: fleet pool reset-stats gpu$/m,
    );
    expect(human.join("\n")).toMatch(/^consolidation +a node on which nothing has changed for 15 min is emptied if/m);
    expect(human.join("\n")).toMatch(/^lifetime +1 d at most; nodes are drained 10 min earlier$/m);
    expect(human.join("\n")).toMatch(
      /^broken +g5\.xlarge in us-east-1c did not boot \(3 times within the hour\) with the launch template's image; next try .* in 15 min$/m,
    );
    expect(value).toMatchObject({ pool: "gpu" });
    const { on } = aContext(api);
    await expect(pool("big", {}, on)).rejects.toThrow(/no pool big; there are: gpu/);
  });
});

describe("fleet datasets and fleet dataset", () => {
  const path = "/v1/teams/research/datasets";
  it("fleet datasets prints a table or a JSON list, and says how to add a dataset if there is none", async () => {
    const { human, value } = await both({ [`GET ${path}`]: { body: { items: [aDatasetView()] } } }, (options, on) =>
      datasets({ team, ...options }, on),
    );
    expect(human[1]).toMatch(/^images +ready +12 +12 MiB +- +s3:\/\/data\/images\/$/);
    expect(value).toMatchObject({ datasets: [{ dataset: "images" }] });
    await api.close();
    const { on, printed } = await start({ [`GET ${path}`]: { body: { items: [] } } });
    await datasets({ team }, on);
    expect(printed.out.join("")).toMatch(/no datasets; add one with: fleet dataset upload NAME FOLDER --team research/);
  });

  it("fleet dataset show prints what a dataset contains, and which nodes hold it", async () => {
    const { human, value } = await both({ [`GET ${path}/images`]: { body: aDatasetDetail() } }, (options, on) =>
      showDataset("images", { team, ...options }, on),
    );
    expect(human).toContain("holds      12 shards, 12 MiB (version 2)");
    expect(human).toContain("map        version 3, over 2 nodes; 4 shards moved, 2026-06-01 00:50:00 UTC, 10 min ago");
    expect(human).toContain("node       i-0a: its part, 6 shards, 6 MiB; fetched 6 shards, 6 MiB");
    expect(human).toContain("node       i-0b: all of it; nothing fetched yet");
    expect(value).toMatchObject({ dataset: "images", holders: [{}, {}] });
  });

  it("fleet dataset show names the objects that were left out, and why", async () => {
    const skipped = { objects: 3, examples: [{ key: "set/a//b", because: "has an empty part, '.', '..' or a NUL" }] };
    const listing = { version: 2, shards: 12, bytes: 12, skipped };
    const { human, value } = await both({ [`GET ${path}/images`]: { body: aDatasetDetail({ listing }) } }, (options, on) =>
      showDataset("images", { team, ...options }, on),
    );
    const at = human.indexOf("left out   3 objects that jobs do not see:");
    expect(human.slice(at + 1, at + 3).map((line) => line.trim())).toEqual([
      "set/a//b has an empty part, '.', '..' or a NUL",
      "and 2 more",
    ]);
    expect(value).toMatchObject({ listing: { skipped } });
  });

  it("fleet dataset add takes an S3 source, and fleet dataset rm removes a dataset", async () => {
    const { on, printed } = await start({
      [`PUT ${path}/images`]: { status: 201, body: aDatasetView() },
      [`DELETE ${path}/images`]: { status: 204 },
    });
    expect(await addDataset("images", { team, source: "s3://data/images" }, on)).toBe(0);
    expect(api.calls.at(-1)?.body).toEqual({ source: "s3://data/images/", replace: false });
    expect(printed.note[0]).toMatch(/--dataset images/);
    expect(await addDataset("images", { team, source: "s3://data/images/", replace: true, json: true }, on)).toBe(0);
    expect(api.calls.at(-1)?.body).toEqual({ source: "s3://data/images/", replace: true });
    await expect(addDataset("images", { team, source: "/data" }, on)).rejects.toThrow(/expected s3:\/\/BUCKET\/PREFIX\//);
    expect(await removeDataset("images", { team, json: true }, on)).toBe(0);
    expect(JSON.parse(printed.out.at(-1) ?? "")).toEqual({ team, dataset: "images", removed: true });
    await expect(removeDataset("other", { team }, on)).rejects.toThrow(/no dataset other; list them with: fleet datasets --team research/);
  });
});

describe("fleet decisions and fleet decision", () => {
  const path = "GET /v1/pools/gpu/decisions";
  const { decision: name } = aDecisionSummary();
  it("fleet decisions --pool prints a page of one pool", async () => {
    const routes = { [path]: { body: { items: [aDecisionSummary()], cursor: "c" } } };
    const { human, value, note } = await both(routes, (options, on) => decisions({ pool: "gpu", limit: 5, ...options }, on));
    expect(human[1]).toMatch(/^20260601-000100\.000Z +gpu +59 min +1 job, no nodes +1 launch +job, tick$/);
    expect(value).toMatchObject({ decisions: [{ decision: name }], cursor: "c" });
    expect(note).toEqual(["there are more: --pool gpu --cursor c"]);
  });

  it("fleet decisions prints the newest decisions of all pools, in one order", async () => {
    const older = aDecisionSummary({ decision: "20260601-000000.000Z-1", pool: "big" });
    const { on, printed } = await start({
      "GET /v1/me": { body: aMe({ pools: ["big", "gpu"] }) },
      [path]: { body: { items: [aDecisionSummary()] } },
      "GET /v1/pools/big/decisions": { body: { items: [older], cursor: "c" } },
    });
    expect(await decisions({ limit: 20 }, on)).toBe(0);
    expect(printed.out.slice(1).map((line) => line.split(/ +/)[1])).toEqual(["gpu", "big"]);
    expect(printed.note).toEqual(["there are more: choose a pool to see them: --pool big | --pool gpu"]);
    await expect(decisions({ limit: 20, cursor: "c" }, on)).rejects.toThrow(/--cursor needs --pool/);
  });

  it("fleet decision prints a decision in words, whichever pool made it", async () => {
    const routes = {
      "GET /v1/me": { body: aMe({ pools: ["big", "gpu"] }) },
      [`${path}/${name}`]: { body: aDecisionView() },
    };
    const { human, value } = await both(routes, (options, on) => decision(name, options, on));
    expect(human).toEqual([
      `decision   ${name} of pool gpu`,
      "made       2026-06-01 00:01:00 UTC, 59 min ago",
      "woken by   job, tick",
      "saw        1 job waiting, no nodes, $0/h and no GPUs reserved",
      "",
      "  1. ask EC2 for 1 spot node for 2 jobs: g5.xlarge or g6.xlarge (reserves $0.526/h, 1 GPU)",
      "     because train-7 waits and nothing has room",
      "     → launched i-0123456789abcdef0",
    ]);
    expect(value).toMatchObject({ decision: name });
    const { on } = aContext(api);
    await expect(decision("other", {}, on)).rejects.toThrow(/no decision other in big, gpu; list them with: fleet decisions/);
  });
});

describe("fleet interrupt", () => {
  it("fleet interrupt calls the local cloud, and prints its refusal", async () => {
    const routes = {
      "POST /_local/interrupt": [
        { body: { instance: id, endsAt: at(120) } },
        { body: {} },
        { status: 409, body: { message: "i-0 is on-demand" } },
      ],
    };
    const { on: remote } = await start(routes);
    const on = { ...remote, connection: { ...remote.connection, endpoint: api.url } };
    expect(await interrupt(id, {}, on)).toBe(0);
    expect(api.calls[0]?.body).toEqual({ instance: id });
    expect(await interrupt(id, { json: true }, on)).toBe(0);
    await expect(interrupt(id, {}, on)).rejects.toThrow("i-0 is on-demand");
    await expect(interrupt("train-7", {}, on)).rejects.toThrow(/not an instance id; list the nodes with: fleet nodes/);
    await expect(interrupt(id, {}, remote)).rejects.toThrow(/AWS FIS .*aws:ec2:send-spot-instance-interruptions/);
  });
});
