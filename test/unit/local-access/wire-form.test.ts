import { expect, it, test } from "vitest";
import { wireProblem } from "../../../lib/local/access/calls/wire-form.ts";
import type { HttpCall } from "../../../lib/local/requests/http.ts";

const host = "127.0.0.1:4566";
const call = (over: Partial<Omit<HttpCall, "body">> & { body?: string } = {}): HttpCall => {
  const { headers, body = "", ...rest } = over;
  return { method: "POST", path: "/", ...rest, headers: { host, ...headers }, body: Buffer.from(body) };
};
const json = (target: string, over: Parameters<typeof call>[0] = {}) =>
  call({ ...over, headers: { "x-amz-target": target, ...over.headers } });

test.each<[string, HttpCall]>([
  ["dynamodb", json("DynamoDB_20120810.GetItem", { body: "{}" })],
  ["sqs", json("AmazonSQS.SendMessage", { headers: { host: "localhost:1" } })],
  ["sts", call({ body: "Action=AssumeRole&RoleArn=r" })],
  ["s3", call({ method: "GET", path: "/bucket/key?x-id=GetObject" })],
  ["s3", call({ method: "PUT", path: "/bucket/key", headers: { "content-encoding": "gzip" } })],
  ["s3", call({ method: "PUT", path: "/bucket/key?X-Amz-Signature=0&x-amz-acl=private" })],
  ["a service that is not described", call({ path: "/2015-03-31/functions" })],
])("a call of %s in the form of AWS's clients is not refused", (service, of) => {
  expect(wireProblem(service, of)).toBeUndefined();
});

/** The emulators carry out something else than what such a call seems to ask for. */
test.each<[string, string, HttpCall, string]>([
  [
    "names an operation of another service",
    "sts",
    json("DynamoDB_20120810.Scan", { body: '{"TableName":"t","x":"&Action=GetCallerIdentity&"}' }),
    "is not an operation of sts",
  ],
  ["names one beside an object", "s3", json("AmazonSQS.PurgeQueue", { method: "PUT", path: "/bucket/key" }), "is not an operation of s3"],
  ["names one of a service with a similar form", "kms", json("DynamoDB_20120810.Scan"), "is not an operation of kms"],
  ["names none", "dynamodb", call({ body: "{}" }), "is not an operation of dynamodb"],
  ["opens a door of the emulator", "sts", call({ path: "/_service-events" }), "no such path"],
  [
    "opens a door of the other emulator",
    "ssm",
    json("AmazonSSM.GetParameter", { path: "/moto-api/data.json" }),
    "POST to /, without a query",
  ],
  ["has another path", "sqs", json("AmazonSQS.SendMessage", { path: "/000000000000/other" }), "POST to /, without a query"],
  [
    "has its action in the query, too",
    "ec2",
    call({ path: "/?Action=CreateFleet&DryRun=true", body: "Action=CreateVpc" }),
    "POST to /, without a query",
  ],
  ["has its action twice", "ec2", call({ body: "Action=DescribeInstances&Action=CreateVpc" }), "given twice"],
  ["names a bucket by its host", "s3", call({ method: "GET", path: "/key", headers: { host: "bucket.s3.localhost:1" } }), "path-style"],
  ["names a service by its host", "sts", call({ headers: { host: "sqs.localhost" } }), "address of the endpoint"],
  [
    "has an encoded body",
    "dynamodb",
    json("DynamoDB_20120810.TransactWriteItems", { headers: { "content-encoding": "gzip" } }),
    "must not be encoded",
  ],
  [
    "deletes what an encoded body names",
    "s3",
    call({ path: "/bucket?%64elete", headers: { "content-encoding": "gzip" } }),
    "must not be encoded",
  ],
  [
    "has a header in the query of a call that is not presigned",
    "s3",
    call({ method: "PUT", path: "/bucket/key?x-amz-copy-source=other%2Fsecret" }),
    "x-amz-copy-source must be a header",
  ],
  [
    "has a header in both places",
    "s3",
    call({ method: "PUT", path: "/b/k?X-Amz-Signature=0&x-amz-acl=a", headers: { "x-amz-acl": "b" } }),
    "x-amz-acl must be",
  ],
  ["has a parameter twice", "s3", call({ method: "GET", path: "/b?prefix=mine&prefix=other" }), "given twice"],
  ["has a path that is no text", "s3", call({ method: "GET", path: "/b/%ff" }), "not encoded as UTF-8"],
])("a call that %s is refused (%s)", (_what, service, of, why) => {
  expect(wireProblem(service, of)).toContain(why);
});

it("a pattern of many wildcards takes no longer than its length times the length of the value", async () => {
  const { matches } = await import("../../../lib/local/access/policy/patterns.ts");
  expect(matches(`${"*a".repeat(40)}b`, "a".repeat(20_000))).toBe(false);
  expect(matches("a*b?d*", "aXXbcdYY")).toBe(true);
  expect([matches("*", ""), matches("a*a", "a"), matches("?*?", "ab"), matches("a*b*c", "abXbc"), matches("**", "x")]).toEqual([
    true,
    false,
    true,
    true,
    true,
  ]);
});
