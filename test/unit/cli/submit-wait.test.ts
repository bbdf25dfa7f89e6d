import { afterEach, expect, test } from "vitest";
import { submit } from "../../../lib/cli/commands/jobs/submit.ts";
import { parseJob } from "../../../lib/cli/jobs/job-file.ts";
import { aJobView } from "./api-samples.ts";
import { aContext, type FakeApi, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
afterEach(() => api.close());

test("fleet submit --wait asks for the job twice a second, and not without a pause", async () => {
  const path = "/v1/teams/research/jobs/train-7";
  const running = { body: aJobView({ job: "train-7" }) };
  api = await startFakeApi({
    "POST /v1/teams/research/jobs/check": { body: { items: [{ accepted: true, pool: "gpu" }] } },
    [`GET ${path}`]: [running, running, running, { body: aJobView({ job: "train-7", state: "succeeded" }) }],
  });
  const job = parseJob("job.json", JSON.stringify({ id: "train-7", command: ["true"] }));
  const { on, pauses } = aContext(api);
  expect(await submit([job], { team: "research", wait: true, json: true }, on)).toBe(0);
  expect(api.calls.filter((call) => call.path === path)).toHaveLength(4);
  expect(pauses).toEqual([500, 500, 500]);
});
