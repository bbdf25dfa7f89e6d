import { afterEach, expect, test } from "vitest";
import type { Sent } from "../../../lib/aws/queues/job-queue.ts";
import { submit } from "../../../lib/cli/commands/jobs/submit.ts";
import { parseJob } from "../../../lib/cli/jobs/job-file.ts";
import { aJobView } from "./api-samples.ts";
import { aContext, type FakeApi, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
afterEach(() => api.close());

test("fleet submit --wait asks for the job twice a second, and not without a pause", async () => {
  const path = "/v1/teams/research/jobs/train-7";
  const startedMs = performance.now();
  api = await startFakeApi({
    "POST /v1/teams/research/jobs/check": { body: { items: [{ accepted: true, pool: "gpu" }] } },
    [`GET ${path}`]: () => ({ body: aJobView({ job: "train-7", state: performance.now() - startedMs < 700 ? "running" : "succeeded" }) }),
  });
  const job = parseJob("job.json", JSON.stringify({ id: "train-7", command: ["true"] }));
  expect(await submit([job], { team: "research", wait: true, json: true }, aContext(api).on)).toBe(0);
  const calls = api.calls.filter((call) => call.path === path).length;
  expect(calls).toBeGreaterThanOrEqual(2);
  expect(calls).toBeLessThanOrEqual(4);
});

test("fleet submit names the first ten jobs that could not be sent, and counts the others", async () => {
  const accepted = Array.from({ length: 13 }, () => ({ accepted: true, pool: "gpu" }));
  api = await startFakeApi({ "POST /v1/teams/research/jobs/check": { body: { items: accepted } } });
  const { on, printed } = aContext(api);
  const jobs = accepted.map((_, n) => parseJob("job.json", JSON.stringify({ id: `job-${n}`, command: ["true"] })));
  const sendAll = async (_team: string, bodies: readonly string[]): Promise<readonly Sent[]> =>
    bodies.map(() => ({ kind: "failed", error: new Error("throttled") }));
  const connection = { ...on.connection, queue: { ...on.connection.queue, sendAll } };
  expect(await submit(jobs, { team: "research" }, { ...on, connection })).toBe(1);
  expect(printed.note.filter((line) => line.startsWith("  job.json"))).toHaveLength(10);
  expect(printed.note).toContain("  and 3 more (--json names all)");
});
