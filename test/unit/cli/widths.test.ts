import { afterEach, describe, expect, it } from "vitest";
import { datasets } from "../../../lib/cli/commands/datasets.ts";
import { decisions } from "../../../lib/cli/commands/decisions.ts";
import { cancelMany } from "../../../lib/cli/commands/jobs/cancel-many.ts";
import { jobs } from "../../../lib/cli/commands/jobs/jobs.ts";
import { pools } from "../../../lib/cli/commands/pools.ts";
import { problems } from "../../../lib/cli/commands/problems.ts";
import { redrive } from "../../../lib/cli/commands/redrive.ts";
import type { Context } from "../../../lib/cli/session/context.ts";
import { aDatasetView, aDeadQueueView, aDecisionSummary, aJobSummary, aLetter, aMe, aPoolView } from "./api-samples.ts";
import { aContext, type FakeApi, type Routes, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
afterEach(() => api.close());

const team = "research";
const long = "x".repeat(300);
const path = `/v1/teams/${team}`;
const listed = { [`GET ${path}/jobs`]: { body: { items: [aJobSummary({ state: "failed", reason: long })] } } };

const commands: Readonly<Record<string, { readonly routes: Routes; readonly run: (on: Context) => Promise<number> }>> = {
  "fleet jobs": { routes: listed, run: (on) => jobs({ team, limit: 5 }, on) },
  "fleet cancel --dry-run": { routes: listed, run: (on) => cancelMany({ team, state: "all", dryRun: true }, on) },
  "fleet decisions": {
    routes: { "GET /v1/me": { body: aMe() }, "GET /v1/pools/gpu/decisions": { body: { items: [aDecisionSummary({ causes: [long] })] } } },
    run: (on) => decisions({ limit: 5 }, on),
  },
  "fleet datasets": {
    routes: { [`GET ${path}/datasets`]: { body: { items: [aDatasetView({ trouble: long })] } } },
    run: (on) => datasets({ team }, on),
  },
  "fleet pools": {
    routes: { "GET /v1/pools": { body: { items: [aPoolView({ families: [long] })] } } },
    run: (on) => pools({}, on),
  },
  "fleet problems": {
    routes: {
      "GET /v1/pools": { body: { items: [aPoolView({ unreadable: [{ kind: "job", key: "a", why: long }] })] } },
      "GET /v1/dead-letters": { body: { items: [] } },
    },
    run: (on) => problems({}, on),
  },
  "fleet redrive --dry-run": {
    routes: { "GET /v1/dead-letters": { body: { items: [aDeadQueueView({ letters: [{ ...aLetter, error: long }] })] } } },
    run: (on) => redrive(undefined, { dryRun: true }, on),
  },
};

describe("the table of a command", () => {
  it.each(Object.entries(commands))(
    "the table of %s is as wide as the terminal, however long its texts are",
    async (_name, { routes, run }) => {
      api = await startFakeApi(routes);
      const { on, printed } = aContext(api);
      await run(on);
      expect(printed.out.length).toBeGreaterThan(1);
      expect(Math.max(...printed.out.map((line) => line.length))).toBe(100);
    },
  );
});
