import { setTimeout as pause } from "node:timers/promises";
import { GetQueueUrlCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { beforeAll, expect, test } from "vitest";
import { sqsClient } from "../../../lib/aws/clients/sqs.ts";
import { orderNode, orderPool, setPool, unsetPool } from "../../../lib/cli/commands/orders.ts";
import { redrive } from "../../../lib/cli/commands/redrive.ts";
import { localSettings } from "../../../lib/cli/session/connection.ts";
import type { Context } from "../../../lib/cli/session/context.ts";
import { type Stage, shell } from "../stage.ts";

/** Tests of what admins order: the commands, the API over signed HTTP, decisions and workers. */
export function orderTests(on: () => Stage): void {
  let stage: Stage;
  beforeAll(() => {
    stage = on();
  });

  /** Runs a command, and returns what it prints. */
  async function said(command: (context: Context) => Promise<number>): Promise<string> {
    const lines: string[] = [];
    const print = (line: string): void => void lines.push(line);
    const console: Context["console"] = {
      ...{ out: print, note: print, jobLog: print, raw: print, bytes: async () => undefined },
      ...{ isTerminal: false, progress: () => undefined, paint: (_colour, text) => text, width: 200 },
    };
    expect(await command({ connection: stage.connection, console, nowMs: Date.now(), pause })).toBe(0);
    return lines.join("\n");
  }
  const stateOf = async (node: string): Promise<string> => (await stage.connection.api.node(node)).state;
  const soon = { timeout: 45_000, interval: 200 };

  test("a job waits while its pool is paused and says so, and runs after it is resumed; a drained node is ended", async () => {
    const paused = await said((context) => orderPool("pause", { name: "gpu", reason: "new image" }, context));
    expect(paused).toMatch(/^pool gpu is paused by .* \(new image\): it starts nothing/);
    const id = await stage.send(shell("sleep 60", { id: "patient" }));
    expect(await stage.until(id, (job) => job.reason !== undefined)).toMatchObject({
      state: "queued",
      reason: expect.stringMatching(/^pool gpu is paused by .* \(new image\)/),
    });
    await said((context) => orderPool("resume", { name: "gpu" }, context));
    const { node = "" } = await stage.until(id, (job) => job.state === "running");
    await said((context) => orderNode("drain", { node, deadline: 1 }, context));
    expect(await stage.until(id, (job) => job.attempt === 2)).toMatchObject({ failures: 0 });
    await expect.poll(() => stateOf(node), soon).toBe("gone");
    await stage.connection.api.cancel({ team: "research", job: id }, undefined);
  });

  test("a job waits for a budget that an admin has set, and a drain of its pool that is taken back in time does not stop it", async () => {
    await said((context) => setPool("gpu", { budgetDailyUsd: 0, for: 600, reason: "a test" }, context));
    const id = await stage.send(shell("sleep 60", { id: "limited" }));
    expect(await stage.until(id, (job) => job.reason !== undefined)).toMatchObject({
      state: "queued",
      reason: expect.stringMatching(/budget of .*\$0 a day/),
    });
    await said((context) => unsetPool("gpu", { what: [] }, context));
    const { node = "" } = await stage.until(id, (job) => job.state === "running");
    await said((context) => orderPool("drain", { name: "gpu", deadline: 600 }, context));
    await expect.poll(() => stateOf(node), soon).toBe("draining");
    expect(await said((context) => orderPool("resume", { name: "gpu" }, context))).toMatch(/^pool gpu is not paused/);
    await expect.poll(() => stateOf(node), soon).toBe("ready");
    expect(await stage.until(id, () => true)).toMatchObject({ state: "running", attempt: 1, node });
    await stage.connection.api.cancel({ team: "research", job: id }, undefined);
  });

  test("a drained pool is empty after its deadline and starts nothing; what it stopped runs again after it is resumed", async () => {
    const script = 'if [ "$FLEETWRIGHT_ATTEMPT" = 1 ]; then sleep 60; fi';
    const stopped = await Promise.all(["stopped-a", "stopped-b"].map((id) => stage.send(shell(script, { id }))));
    for (const id of stopped) await stage.until(id, (job) => job.state === "running");
    const drained = await said((context) => orderPool("drain", { name: "gpu", deadline: 2, reason: "new account" }, context));
    expect(drained).toMatch(/^pool gpu is drained until .* \(new account\): it starts nothing, and idle nodes are ended/);
    const late = await stage.send(shell("true", { id: "came-late" }));
    const reason = expect.stringMatching(/^pool gpu is drained by .* \(new account\); the job starts after an admin resumes the pool$/);
    for (const [id, attempt] of [...stopped.map((each) => [each, 2] as const), [late, 1] as const]) {
      const waits = await stage.until(
        id,
        (job) => job.state === "queued" && job.attempt === attempt && /drained by/.test(job.reason ?? ""),
      );
      expect(waits).toMatchObject({ failures: 0, reason });
    }
    await expect.poll(() => stage.cloud.ec2.record.remaining().length, soon).toBe(0);
    const launched = stage.cloud.ec2.record.instances.length;
    await stage.cloud.invoke("tick", { tick: "minute" });
    expect(stage.cloud.ec2.record.instances).toHaveLength(launched);
    await said((context) => orderPool("resume", { name: "gpu" }, context));
    for (const id of stopped) expect(await stage.ended(id)).toMatchObject({ state: "succeeded", attempt: 2, failures: 0 });
    expect(await stage.ended(late)).toMatchObject({ state: "succeeded", attempt: 1 });
  });

  test("a job among the dead letters is listed and sets off an alarm when the tick sees it, and runs after it was sent back", async () => {
    const sqs = sqsClient(localSettings(stage.cloud.endpoint));
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: `${stage.cloud.deployment.name}-dead-jobs-research` }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(shell("true", { id: "redriven" })) }));
    const queued = async () => (await stage.connection.api.deadLetters()).items.find(({ queue }) => queue === "jobs-research");
    const alarm = async (): Promise<string | undefined> => {
      expect(await stage.cloud.invoke("tick", { tick: "minute" })).toMatchObject({ kind: "returned" });
      return stage.cloud.alarms().find(({ name }) => name === "fleetwright-dead-jobs")?.state;
    };
    await expect.poll(alarm, soon).toBe("ALARM");
    expect(await said((context) => redrive("jobs-research", { dryRun: true }, context))).toMatch(
      /jobs-research[\s\S]*nothing was changed$/,
    );
    expect(await queued()).toMatchObject({ count: 1, letters: [{ subject: { kind: "job", name: "research/redriven" } }] });
    expect(await said((context) => redrive("jobs-research", {}, context))).toBe("jobs-research: 1 letter sent back");
    expect(await stage.ended("redriven")).toMatchObject({ state: "succeeded" });
    expect(await queued()).toMatchObject({ count: 0, letters: [] });
    await expect.poll(alarm, soon).toBe("OK");
    expect(await said((context) => redrive("jobs-research", {}, context))).toBe("there are no letters to send back");
  });
}
