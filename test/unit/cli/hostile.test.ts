import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it, test } from "vitest";
import { datasets, showDataset } from "../../../lib/cli/commands/datasets.ts";
import { decision, decisions } from "../../../lib/cli/commands/decisions.ts";
import { getArtifacts } from "../../../lib/cli/commands/jobs/artifacts.ts";
import { cancel } from "../../../lib/cli/commands/jobs/cancel.ts";
import { follow } from "../../../lib/cli/commands/jobs/follow-logs.ts";
import { job } from "../../../lib/cli/commands/jobs/job.ts";
import { jobs } from "../../../lib/cli/commands/jobs/jobs.ts";
import { logs } from "../../../lib/cli/commands/jobs/logs.ts";
import { node, nodes } from "../../../lib/cli/commands/nodes.ts";
import { pool, pools } from "../../../lib/cli/commands/pools.ts";
import { explain } from "../../../lib/cli/invocation/exit.ts";
import type { Context } from "../../../lib/cli/session/context.ts";
import { aSpec } from "../../fakes/builders.ts";
import {
  aDatasetDetail,
  aDatasetView,
  aDecisionSummary,
  aDecisionView,
  aJobSummary,
  aJobView,
  aLogPage,
  aMe,
  aNodeView,
  anAttemptView,
  aPoolView,
  lines,
} from "./api-samples.ts";
import { aContext, type FakeApi, problem, type Routes, startFakeApi } from "./fake-api.ts";
import { aTerminal } from "./streams.ts";

/** Text that sets the title and the clipboard, hides, erases the line above, writes backwards, and fakes a line of ours. */
const evil =
  "\u001b]0;owned\u0007\u001b]52;c;Y3VybA==\u0007\u001b[8m\u001b[2K\u001b[1A\u009b32m\u202etxt\u007f\r\nOWNED all jobs succeeded\u2028\u0000";

let api: FakeApi | undefined;
afterEach(() => api?.close());

/** Runs a command on the real console, as a pipe and as a terminal without colours, and returns its output. */
async function written(routes: Routes, command: (on: Context) => Promise<number>): Promise<string> {
  api = await startFakeApi(routes);
  const { on } = aContext(api);
  const { console, written: all } = aTerminal({ isTTY: false, columns: 1_000 });
  await command({ ...on, console }).catch((error: unknown) => explain(error, console.note));
  const { stdout, stderr } = all();
  return stdout + stderr;
}

const team = "research";
const path = `/v1/teams/${team}`;
const evilJob = aJobView({
  reason: evil,
  state: "succeeded",
  spec: aSpec({ command: ["sh", "-c", evil], env: { A: evil }, image: `img${evil}`, gpus: { count: 1, memoryGiB: 0, models: [evil] } }),
  artifacts: { files: 1, bytes: 1, leftOut: 0, missing: [`a${evil}`], lost: 0 },
});
const evilDecision = { kind: evil, team: "research", nodes: [evil], because: evil, outcome: evil };

const commands: [string, Routes, (on: Context) => Promise<number>][] = [
  ["jobs", { [`GET ${path}/jobs`]: { body: { items: [aJobSummary({ job: "x", reason: evil })] } } }, (on) => jobs({ team, limit: 20 }, on)],
  [
    "job",
    {
      [`GET ${path}/jobs/x`]: { body: evilJob },
      [`GET ${path}/jobs/x/attempts`]: { body: { items: [anAttemptView({ reason: evil, zone: evil })] } },
    },
    (on) => job("x", { team }, on),
  ],
  [
    "logs",
    { [`GET ${path}/jobs/x/logs`]: { body: aLogPage({ state: "succeeded", lines: lines(evil) }) } },
    (on) => logs("x", { team }, on),
  ],
  [
    "logs -f",
    {
      [`GET ${path}/jobs/x/logs`]: [{ body: aLogPage({ state: "failed", lines: lines(evil) }) }, { body: aLogPage({ state: "failed" }) }],
      [`GET ${path}/jobs/x`]: { body: { ...evilJob, state: "failed" } },
    },
    (on) => follow("x", { team }, on),
  ],
  [
    "artifacts get",
    { [`GET ${path}/jobs/x`]: { body: evilJob } },
    (on) => getArtifacts("x", { folder: "/nowhere", patterns: [] }, { options: { team }, ...on }),
  ],
  ["cancel", { [`POST ${path}/jobs/x/cancel`]: problem(409, "conflict", evil) }, (on) => cancel(["x"], { team }, on)],
  [
    "datasets",
    { [`GET ${path}/datasets`]: { body: { items: [aDatasetView({ source: `s3://b/${evil}`, trouble: evil })] } } },
    (on) => datasets({ team }, on),
  ],
  [
    "dataset show",
    { [`GET ${path}/datasets/d`]: { body: aDatasetDetail({ source: `s3://b/${evil}`, trouble: evil }) } },
    (on) => showDataset("d", { team }, on),
  ],
  ["nodes", { "GET /v1/nodes": { body: { items: [aNodeView({ instanceType: evil })] } } }, (on) => nodes({ limit: 20 }, on)],
  ["node", { "GET /v1/nodes/i-0a": { body: aNodeView({ gpuModel: evil, zone: evil }) } }, (on) => node("i-0a", {}, on)],
  ["pools", { "GET /v1/pools": { body: { items: [aPoolView({ families: [evil] })], teams: [] } } }, (on) => pools({}, on)],
  ["pool", { "GET /v1/pools/gpu": { body: aPoolView({ families: [evil] }) } }, (on) => pool("gpu", {}, on)],
  [
    "decisions",
    { "GET /v1/pools/gpu/decisions": { body: { items: [aDecisionSummary({ causes: [evil] })] } } },
    (on) => decisions({ pool: "gpu", limit: 5 }, on),
  ],
  [
    "decision",
    {
      "GET /v1/me": { body: aMe() },
      "GET /v1/pools/gpu/decisions/20260601-000100.000Z-7": { body: aDecisionView({ taken: [evilDecision], causes: [evil] }) },
    },
    (on) => decision("20260601-000100.000Z-7", { pool: "gpu" }, on),
  ],
  ["an error of the API", { [`GET ${path}/jobs/x`]: problem(403, "denied", evil) }, (on) => job("x", { team }, on)],
  ["a response that is not from the API", { [`GET ${path}/jobs/x`]: { status: 403, body: evil } }, (on) => job("x", { team }, on)],
];

it.each(commands)("%s shows text from elsewhere without control characters", async (_name, routes, command) => {
  const all = await written(routes, command);
  expect(all).toContain(String.raw`\u001b]0;owned\u0007`);
  expect(all).not.toMatch(/(?![\n\t])[\p{C}\u2028\u2029]/u);
  for (const line of all.split("\n")) expect(line).not.toMatch(/^OWNED/);
});

test("no file except the console writes to the terminal", () => {
  const folder = join(import.meta.dirname, "../../../lib/cli");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  expect(files.length).toBeGreaterThan(60);
  const writes = /\bstd(?:out|err)\b[^\n]*\.write\(|\bconsole\.(?:log|error|warn|info|debug|table|dir)\(|process\.std(?:out|err)\.(?!on\b)/;
  // The build and the demonstration's job are programs of their own.
  const others = ["terminal/console.ts", "build.ts", "demo/code.ts"];
  expect(files.filter((file) => writes.test(readFileSync(join(folder, file), "utf8")) && !others.includes(file))).toEqual([]);
  expect(writes.test('process.stdout.write("x")') && writes.test("console.log(1)")).toBe(true);
});
