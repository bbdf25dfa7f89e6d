import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { samples } from "../../../events/schema/samples.ts";
import { served } from "../../contract/served.ts";
import { type Stage, shell } from "../stage.ts";

const sample = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "..", "events", "samples", `${name}.json`), "utf8"));

const Returned = z.object({
  payload: z.object({ batchItemFailures: z.array(z.unknown()).optional(), statusCode: z.number().optional() }).nullish(),
});

/** A script that runs long only in its first attempt. */
const once = 'if [ "$FLEETWRIGHT_ATTEMPT" = 1 ]; then sleep 40; fi; sleep 2; echo "$FLEETWRIGHT_ATTEMPT" > attempt.txt';

/** Tests of events from EC2, alarms and unknown senders. */
export function eventTests(on: () => Stage): void {
  let stage: Stage;
  beforeAll(() => {
    stage = on();
  });

  it("a job whose instance EC2 takes back runs again elsewhere, and its node is released before the instance ends", async () => {
    const id = await stage.send(shell(once, { id: "interrupted", artifacts: ["attempt.txt"] }));
    const { node = "" } = await stage.until(id, (job) => job.state === "running");
    stage.cloud.ec2.record.interrupt(node, { noticeMs: 30_000 });
    const again = await stage.until(id, (job) => job.attempt === 2 && job.state === "running", { withinMs: 25_000 });
    expect(again.node).not.toBe(node);
    expect(await stage.ended(id)).toMatchObject({ state: "succeeded", attempt: 2, failures: 0 });
  });

  it("a job on an instance with a rebalance recommendation ends where it is", async () => {
    const id = await stage.send(shell("sleep 4", { id: "rebalanced" }));
    const { node = "" } = await stage.until(id, (job) => job.state === "running");
    stage.cloud.ec2.record.recommendRebalance(node);
    expect(await stage.ended(id)).toMatchObject({ state: "succeeded", attempt: 1 });
  });

  describe("foreign and unknown events", () => {
    it.each([
      ["on-instance", "of a foreign instance", sample("instance-state-change")],
      ["on-instance", "of the interruption of a foreign instance", sample("spot-interruption-warning")],
      ["on-instance", "of a rebalance recommendation for a foreign instance", sample("rebalance-recommendation")],
      ["on-instance", "of another service", sample("object-created")],
      ["on-instance", "that is empty", {}],
      ["on-alarm", "of a foreign alarm", { ...sample("alarm-state-change"), detail: { alarmName: "CPU", state: { value: "ALARM" } } }],
      ["on-alarm", "of another service", sample("instance-state-change")],
      ["on-alarm", "that is null", null],
    ])("the handler %s acknowledges an event %s", async (handler, _what, event) => {
      for (const _time of [1, 2]) expect((await stage.cloud.invoke(handler, event)).kind).toBe("returned");
    });
  });

  it("an alarm of the deployment rings its pool, and a repeated event does no harm", async () => {
    for (const _time of [1, 2]) expect((await stage.cloud.invoke("on-alarm", sample("alarm-state-change"))).kind).toBe("returned");
    const id = await stage.send(shell("true", { id: "after-the-alarm" }));
    expect(await stage.ended(id)).toMatchObject({ state: "succeeded" });
  });

  describe("the samples of all events", () => {
    const queued = (queue: string) => (body: unknown) => ({
      Records: [
        {
          messageId: randomUUID(),
          body: JSON.stringify(body),
          eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:fleetwright-${queue}`,
          attributes: { SentTimestamp: String(Date.now()), ApproximateReceiveCount: "1", MessageGroupId: "gpu" },
        },
      ],
    });
    const asIs = (event: unknown) => event;
    /** A call from an instance that is not the deployment's, because its own instances run the workers of other tests. */
    const called = (body: unknown) => ({
      body: JSON.stringify(body),
      requestContext: {
        accountId: "000000000000",
        authorizer: { iam: { userArn: "arn:aws:sts::000000000000:assumed-role/somebody/i-0123456789abcdef0", accountId: "000000000000" } },
      },
    });
    const taken: Readonly<Record<string, readonly (readonly [handler: string, wrap: (sample: unknown) => unknown])[]>> = {
      "alarm-state-change": [["on-alarm", asIs]],
      "dataset-object-deleted": [["rebalance-shards", queued("shards")]],
      "instance-state-change": [["on-instance", asIs]],
      "job-full": [["submit-jobs", queued("jobs-vision")]],
      "job-smallest": [["submit-jobs", queued("jobs-vision")]],
      "node-begin": [["node", called]],
      "node-boot": [["node", called]],
      "node-report": [["node", called]],
      "node-report-interrupted": [["node", called]],
      "object-created": [["seal-artifact", queued("seal")]],
      "pool-rang": [
        ["place", queued("lane.fifo")],
        ["ring-later", queued("later")],
      ],
      "rebalance-recommendation": [["on-instance", asIs]],
      "rebalance-shards": [["rebalance-shards", queued("shards")]],
      "seal-again": [["seal-artifact", queued("seal")]],
      "spot-interruption-warning": [["on-instance", asIs]],
      // As CloudFormation sends it for a change of the stack, because a Delete would end the instances of the other tests too.
      "stack-delete": [["end-fleet", (event) => ({ ...Object(event), RequestType: "Update", ResponseURL: cloudFormation.url })]],
      tick: [["tick", asIs]],
    };
    let cloudFormation: Awaited<ReturnType<typeof served>>;
    const responses: unknown[] = [];
    beforeAll(async () => {
      cloudFormation = await served(async ({ body }) => {
        responses.push(JSON.parse(body.toString()));
        return { status: 200, headers: {}, body: Buffer.from("") };
      });
      return () => cloudFormation.close();
    });

    it("CloudFormation receives the response that its change of the stack is done", async () => {
      const [[handler, wrap] = []] = taken["stack-delete"] ?? [];
      const before = responses.length;
      await stage.cloud.invoke(handler ?? "", wrap?.(sample("stack-delete")));
      expect(responses.slice(before)).toMatchObject([{ Status: "SUCCESS", PhysicalResourceId: "instances-of-fleetwright" }]);
    });

    /** Samples that are files on S3, not events. */
    const files = ["manifest", "manifest-sealed", "shard-list"];

    it("every sample of an event has a handler or is a file", () => {
      expect([...Object.keys(taken), ...files].toSorted()).toEqual(Object.keys(samples).toSorted());
    });

    it.each(Object.entries(taken).flatMap(([name, handlers]) => handlers.map(([handler, wrap]) => ({ name, handler, wrap }))))(
      "the sample $name is accepted by $handler, also when it arrives twice",
      async ({ name, handler, wrap }) => {
        const event = wrap(sample(name));
        for (const _time of [1, 2]) {
          const result = await stage.cloud.invoke(handler, event);
          expect(result).toMatchObject({ kind: "returned" });
          const { payload } = Returned.parse(result);
          expect(payload?.batchItemFailures ?? []).toEqual([]);
          expect(payload?.statusCode).toBe(handler === "node" ? 403 : undefined);
        }
      },
    );
  });
}
