import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import { type Stage, shell } from "../stage.ts";

/** Returns a lane message for the pool, as the lane's event source passes it to `place`. */
const ringFor = (pool: string, id: string) => ({
  Records: [
    {
      messageId: id,
      receiptHandle: id,
      body: JSON.stringify({ pool }),
      eventSource: "aws:sqs",
      eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:fleetwright-lane.fifo",
      awsRegion: "us-east-1",
      attributes: {
        SentTimestamp: "1795511702000",
        ApproximateReceiveCount: "1",
        SenderId: "test",
        ApproximateFirstReceiveTimestamp: "1795511702000",
      },
      messageAttributes: {},
      md5OfBody: "",
    },
  ],
});

/** Tests of concurrent runs of place, and of workers that race. */
export function raceTests(on: () => Stage): void {
  let stage: Stage;
  beforeAll(() => {
    stage = on();
  });

  it("ten concurrent runs of place launch and bind each job once", async () => {
    const before = stage.cloud.ec2.record.instances.length;
    const jobs = Array.from({ length: 4 }, (_, index) => `storm-${index}`);
    await Promise.all(jobs.map((id) => stage.send(shell("sleep 1", { id }))));
    await Promise.all(jobs.map((id) => stage.until(id, () => true)));
    const runs = await Promise.all(Array.from({ length: 10 }, (_, index) => stage.cloud.invoke("place", ringFor("gpu", `race-${index}`))));
    expect(runs.map((run) => run.kind)).toEqual(runs.map(() => "returned"));
    const ended = await Promise.all(jobs.map((id) => stage.ended(id)));
    expect(ended.map(({ state, attempt }) => ({ state, attempt }))).toEqual(jobs.map(() => ({ state: "succeeded", attempt: 1 })));
    expect(stage.cloud.ec2.record.instances.length - before).toBeLessThanOrEqual(jobs.length);
  });

  it("a job that arrives while place decides is not missed", async () => {
    const ids: string[] = [];
    const deciding = stage.cloud.invoke("place", ringFor("gpu", "while"));
    for (let index = 0; index < 8; index += 1) {
      ids.push(await stage.send(shell("true", { id: `during-${index}` })));
      await pause(20);
    }
    expect((await deciding).kind).toBe("returned");
    const ended = await Promise.all(ids.map((id) => stage.ended(id)));
    expect(ended.every((job) => job.state === "succeeded" && job.attempt === 1)).toBe(true);
  });

  it("a worker that returns after its attempt was given to another node changes nothing", async () => {
    const script = 'echo "$FLEETWRIGHT_ATTEMPT" > attempt.txt; if [ "$FLEETWRIGHT_ATTEMPT" = 1 ]; then sleep 6; else sleep 1; fi';
    const id = await stage.send(shell(script, { id: "given-away", artifacts: ["attempt.txt"] }));
    const running = await stage.until(id, (job) => job.state === "running");
    const first = running.node ?? "";
    await stage.cloud.ec2.record.pauseWorker(first);
    // EC2 reports an end that did not happen: the worker is frozen and wakes later.
    const event = {
      version: "0",
      id: "00000000-0000-4000-8000-000000000001",
      source: "aws.ec2",
      "detail-type": "EC2 Instance State-change Notification",
      account: "000000000000",
      time: new Date().toISOString(),
      region: "us-east-1",
      resources: [],
      detail: { "instance-id": first, state: "terminated" },
    };
    expect((await stage.cloud.invoke("on-instance", event)).kind).toBe("returned");
    await stage.until(id, (job) => job.attempt === 2 && job.state === "running" && job.node !== first);
    await stage.cloud.ec2.record.resumeWorker(first);
    const ended = await stage.ended(id);
    expect(ended).toMatchObject({ state: "succeeded", attempt: 2 });
    expect(ended.artifacts).toMatchObject({ files: 1, bytes: 2 });
  });
}
