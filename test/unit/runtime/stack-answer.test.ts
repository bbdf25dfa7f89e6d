import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { answerStack } from "../../../lib/runtime/stack-answer.ts";
import { served } from "../../contract/served.ts";

const sample = JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "..", "events", "samples", "stack-delete.json"), "utf8"));
const unheard = () => {};
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** CloudFormation's side: what it is told. `refuse`: as often it answers with an error first. */
async function cloudFormation(refuse = 0) {
  const told: Record<string, unknown>[] = [];
  let calls = 0;
  const server = await served(async ({ method, body, headers }) => {
    calls += 1;
    if (calls <= refuse) return { status: 503, headers: {}, body: Buffer.from("") };
    told.push({ method, type: headers["content-type"], ...JSON.parse(body.toString()) });
    return { status: 200, headers: {}, body: Buffer.from("") };
  });
  open.push(server.close);
  return { event: { ...sample, ResponseURL: `${server.url}/answer` }, told };
}

test("CloudFormation is told what came of its request", async () => {
  const { event, told } = await cloudFormation();
  await answerStack(event, async ({ RequestType }) => ({ status: "SUCCESS", physicalId: `by ${RequestType}` }), unheard);
  expect(told).toEqual([
    {
      method: "PUT",
      type: "",
      Status: "SUCCESS",
      Reason: "",
      PhysicalResourceId: "by Delete",
      StackId: sample.StackId,
      RequestId: sample.RequestId,
      LogicalResourceId: sample.LogicalResourceId,
    },
  ]);
});

test("it is told of a failure, of a request that is not understood, and when it did not listen the first time", async () => {
  const { event, told } = await cloudFormation(1);
  const error = new Error("boom");
  const boom = () => Promise.reject(error);
  const heard: unknown[] = [];
  await answerStack(event, boom, (each) => heard.push(each));
  await answerStack({ ...event, RequestType: "Destroy" }, boom, (each) => heard.push(each));
  expect(told).toMatchObject([
    { Status: "FAILED", Reason: "boom", PhysicalResourceId: sample.PhysicalResourceId },
    { Status: "FAILED", Reason: expect.stringContaining("RequestType") },
  ]);
  expect(heard).toEqual([error]);
});

test("a reason of any length fits into an answer", async () => {
  const { event, told } = await cloudFormation();
  await answerStack(event, async () => ({ status: "FAILED", physicalId: "x", reason: "i-0 ".repeat(5_000) }), unheard);
  expect(JSON.stringify(told[0]).length).toBeLessThan(4_096);
});

test("a request that names no place for its answer fails", async () => {
  await expect(answerStack({ RequestType: "Delete" }, async () => ({ status: "SUCCESS", physicalId: "x" }), unheard)).rejects.toThrow();
});
