import { afterAll, beforeAll, expect, it } from "vitest";
import { documentClient } from "../../lib/aws/document-client.ts";
import { updateItem } from "../../lib/aws/table/access.ts";
import { createDecisions } from "../../lib/aws/table/decisions.ts";
import { add } from "../../lib/aws/table/expression.ts";
import { spentKey } from "../../lib/aws/table/keys.ts";
import { localSettings } from "../../lib/cli/connection.ts";
import { nextStart, periodName } from "../../lib/model/period.ts";
import { openStage, type Stage, shell } from "./stage.ts";

/** Of the local cloud's pool, a month. */
const budgetUsd = 10_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

it("a budget that is used up ends no work, starts none, and what its node cost is on record", async () => {
  const table = { client: documentClient(localSettings(stage.cloud.endpoint)), table: stage.connection.deployment.table };
  const spent = async (): Promise<number> => (await createDecisions(table).load("gpu", Date.now())).spent.monthUsd;
  const running = await stage.send(shell("sleep 4", { id: "running" }));
  await stage.until(running, (job) => job.state === "running");
  expect(await spent()).toBe(0);

  // As if this pool had had other nodes before; of the next month too, lest one begins just now.
  const startedMs = Date.now();
  for (const atMs of [startedMs, nextStart("month", startedMs)])
    await updateItem(table, spentKey("gpu", periodName("month", atMs)), { changes: [add("total", budgetUsd * 1_000_000)] });
  const waits = await stage.send(shell("true", { id: "waits" }));
  const held = await stage.until(waits, (job) => job.reason !== undefined);
  expect(held).toMatchObject({ state: "queued", attempt: 1 });
  expect(held.reason).toMatch(
    /^pool gpu has spent at least \$10000 of its budget of \$10000 a month; running work goes on, and the job starts after \d{4}-\d\d-01 00:00 UTC$/,
  );

  expect(await stage.ended(running)).toMatchObject({ state: "succeeded", attempt: 1 });
  await expect.poll(() => stage.cloud.ec2.record.remaining().length, { timeout: 20_000, interval: 100 }).toBe(0);
  expect(stage.cloud.ec2.record.instances).toHaveLength(1);
  expect((await stage.connection.jobs.get({ team: "research", job: waits }))?.state).toBe("queued");
  // No GPU instance is cheaper than a cent an hour, nor dearer than the pool's limit; it lived for minutes.
  await expect.poll(spent, { timeout: 10_000, interval: 100 }).toBeGreaterThan(budgetUsd + 0.000_1);
  expect(await spent()).toBeLessThan(budgetUsd + 4);
});
