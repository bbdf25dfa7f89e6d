import { expect, it } from "vitest";
import { periodOf } from "../../../lib/local/lambda/schedules.ts";
import { signedFor } from "../../../lib/local/requests/service-of.ts";

it.each<[string, string, string | undefined, string | undefined]>([
  ["the header", "/", "AWS4-HMAC-SHA256 Credential=AKIA/20261123/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=00", "ec2"],
  [
    "the query of a presigned URL",
    "/b/k?X-Amz-Credential=AKIA%2F20261123%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=00",
    undefined,
    "s3",
  ],
  ["no signature, as undefined", "/b/k", undefined, undefined],
])("the service and the access key are read from %s", (_name, path, authorization, wanted) => {
  expect(signedFor(path, { authorization })).toEqual(wanted && { accessKeyId: "AKIA", service: wanted, sessionToken: "" });
});

it("the session token is read from where the signature is", () => {
  const credential = "AKIA%2F20261123%2Fus-east-1%2Fs3%2Faws4_request";
  expect(
    signedFor(`/b/k?X-Amz-Credential=${credential}&X-Amz-Security-Token=a%2Bb`, { "x-amz-security-token": "other" })?.sessionToken,
  ).toBe("a+b");
  const authorization = "AWS4-HMAC-SHA256 Credential=AKIA/20261123/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=00";
  expect(signedFor("/", { authorization, "x-amz-security-token": "a+b" })?.sessionToken).toBe("a+b");
});

it("a schedule's period is read from rate(…), and any other schedule is refused", () => {
  expect([periodOf("rate(1 minute)"), periodOf("rate(5 minutes)"), periodOf("rate(2 hours)")]).toEqual([60_000, 300_000, 7_200_000]);
  for (const strange of ["cron(0 * * * ? *)", "rate(0 minutes)", "at(2026-01-01T00:00:00)"])
    expect(() => periodOf(strange)).toThrow(/does not support the schedule/);
});
