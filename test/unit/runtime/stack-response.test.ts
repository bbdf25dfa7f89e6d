import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { handleStackChange } from "../../../lib/runtime/stack-response.ts";
import { served } from "../../contract/served.ts";

const sample = JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "..", "events", "samples", "stack-delete.json"), "utf8"));
const ignore = () => {};
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** Serves CloudFormation's response URL and records what it receives. The first `refuse` calls get an error. */
async function cloudFormation(refuse = 0) {
  const responses: Record<string, unknown>[] = [];
  let calls = 0;
  const server = await served(async ({ method, body, headers }) => {
    calls += 1;
    if (calls <= refuse) return { status: 503, headers: {}, body: Buffer.from("") };
    responses.push({ method, type: headers["content-type"], ...JSON.parse(body.toString()) });
    return { status: 200, headers: {}, body: Buffer.from("") };
  });
  open.push(server.close);
  return { event: { ...sample, ResponseURL: `${server.url}/answer` }, responses };
}

test("CloudFormation receives the outcome of its request", async () => {
  const { event, responses } = await cloudFormation();
  await handleStackChange(event, async ({ RequestType }) => ({ status: "SUCCESS", physicalId: `by ${RequestType}` }), ignore);
  expect(responses).toEqual([
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

test("CloudFormation receives failures, also of a malformed request, and after a failed first try", async () => {
  const { event, responses } = await cloudFormation(1);
  const error = new Error("boom");
  const boom = () => Promise.reject(error);
  const errors: unknown[] = [];
  await handleStackChange(event, boom, (each) => errors.push(each));
  await handleStackChange({ ...event, RequestType: "Destroy" }, boom, (each) => errors.push(each));
  expect(responses).toMatchObject([
    { Status: "FAILED", Reason: "boom", PhysicalResourceId: sample.PhysicalResourceId },
    { Status: "FAILED", Reason: expect.stringContaining("RequestType") },
  ]);
  expect(errors).toEqual([error]);
});

test("a long reason is cut so that it fits into a response to CloudFormation", async () => {
  const { event, responses } = await cloudFormation();
  await handleStackChange(event, async () => ({ status: "FAILED", physicalId: "x", reason: "i-0 ".repeat(5_000) }), ignore);
  expect(JSON.stringify(responses[0]).length).toBeLessThan(4_096);
});

test("a CloudFormation request without a response URL throws", async () => {
  await expect(
    handleStackChange({ RequestType: "Delete" }, async () => ({ status: "SUCCESS", physicalId: "x" }), ignore),
  ).rejects.toThrow();
});
