import { beforeAll, expect, it } from "vitest";
import { documentClient } from "../../../lib/aws/clients/document-client.ts";
import { updateItem } from "../../../lib/aws/table/access.ts";
import { add } from "../../../lib/aws/table/expression.ts";
import { spentKey } from "../../../lib/aws/table/keys.ts";
import { createDecisions } from "../../../lib/aws/table/pools/decisions.ts";
import { localSettings } from "../../../lib/cli/session/connection.ts";
import { nextStart, periodName } from "../../../lib/model/values/period.ts";
import { type Stage, shell } from "../stage.ts";

/** The monthly budget of the local cloud's pool. */
const budgetUsd = 10_000;

/** Must run after the budget is used up, so that jobs wait. */
function testsOfWaiting(on: () => Stage): void {
  it("an alarm goes off at the number of waiting jobs that a function prints", async () => {
    const { cloud, send } = on();
    for (const id of ["waits-2", "waits-3", "waits-4"]) await send(shell("true", { id }));
    const alarm = () => cloud.alarms().find(({ name }) => name === "fleetwright/queue-depth/gpu");
    const ticked = async () => {
      await cloud.invoke("tick", { tick: "minute" });
      return alarm()?.state;
    };
    await expect.poll(ticked, { timeout: 30_000, interval: 300 }).toBe("ALARM");
    expect(alarm()?.reason).toMatch(/^Threshold Crossed: 1 out of the last 1 datapoints \[[34]\.0 /);
  });
}

/** Uses up the monthly budget of the only pool, so that nothing starts there afterwards. */
export function budgetTests(on: () => Stage): void {
  let stage: Stage;
  beforeAll(() => {
    stage = on();
  });

  it("a used budget ends no work and starts none, and the cost of the node is recorded", async () => {
    const table = { client: documentClient(localSettings(stage.cloud.endpoint)), table: stage.connection.deployment.table };
    const spent = async (): Promise<number> => (await createDecisions(table).load("gpu", Date.now())).spent.monthUsd;
    const remaining = (): number => stage.cloud.ec2.record.remaining().length;
    await expect.poll(remaining, { timeout: 60_000, interval: 100 }).toBe(0);
    const launchedBefore = stage.cloud.ec2.record.instances.length;
    const running = await stage.send(shell("sleep 4", { id: "running" }));
    // A handler that an earlier test has killed keeps its pool's messages for up to 50 s.
    await stage.until(running, (job) => job.state === "running", { withinMs: 75_000 });
    const spentBefore = await spent();
    expect(spentBefore).toBeLessThan(budgetUsd);

    // As if this pool had had other nodes before; also in the next month, in case it begins just now.
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
    await expect.poll(remaining, { timeout: 20_000, interval: 100 }).toBe(0);
    expect(stage.cloud.ec2.record.instances).toHaveLength(launchedBefore + 1);
    expect((await stage.connection.jobs.get({ team: "research", job: waits }))?.state).toBe("queued");
    // A GPU instance costs at least a cent per hour and at most the pool's limit; this one lived for minutes.
    await expect.poll(spent, { timeout: 10_000, interval: 100 }).toBeGreaterThan(spentBefore + budgetUsd + 0.000_1);
    expect(await spent()).toBeLessThan(spentBefore + budgetUsd + 4);
  });

  testsOfWaiting(on);
}
