import { describe, expect, test } from "vitest";
import { jsonOf } from "../../../events/json.ts";
import { jsonResponse, readCall } from "../../../lib/runtime/function-url.ts";

const instance = "arn:aws:sts::123456789012:assumed-role/fleetwright-instance/i-0123456789abcdef0";
const signedBy = (userArn: string, accountId = "123456789012") => ({
  requestContext: { accountId: "123456789012", authorizer: { iam: { userArn, accountId } } },
});
const aCall = (over: object = {}) => ({ version: "2.0", body: '{"kind":"boot"}', isBase64Encoded: false, ...signedBy(instance), ...over });
const caller = { role: "fleetwright-instance", session: "i-0123456789abcdef0" };

describe("a call", () => {
  test("a call's caller is the session that signed it", () => {
    expect(readCall(aCall())).toEqual({ ...caller, body: { kind: "boot" } });
  });

  test("a base64 body of a worker's call is decoded", () => {
    expect(readCall(aCall({ body: Buffer.from('{"a":"ä"}').toString("base64"), isBase64Encoded: true })).body).toEqual({ a: "ä" });
  });

  test.each([
    ["no body", undefined],
    ["a body that is not JSON", "{"],
  ])("a call with %s has an undefined body", (_what, body) => {
    expect(readCall(aCall({ body })).body).toBeUndefined();
  });

  test.each([
    ["a user", "arn:aws:iam::123456789012:user/assumed-role/fleetwright-instance/i-9"],
    ["the account itself", "arn:aws:iam::123456789012:root"],
    ["a federated user", "arn:aws:sts::123456789012:federated-user/i-9"],
    ["a role without a session", "arn:aws:sts::123456789012:assumed-role/fleetwright-instance"],
  ])("a call of %s has no role and no session", (_who, userArn) => {
    expect(readCall(aCall(signedBy(userArn)))).toMatchObject({ role: "", session: "" });
  });

  test("a call of another account has no role, even if its role has the same name", () => {
    const theirs = instance.replace("123456789012", "210987654321");
    expect(readCall(aCall(signedBy(theirs, "210987654321")))).toMatchObject({ role: "", session: "" });
  });

  test("a role's path is not part of its name", () => {
    expect(readCall(aCall(signedBy("arn:aws:sts::123456789012:assumed-role/a/b/worker/i-9")))).toMatchObject({
      role: "worker",
      session: "i-9",
    });
  });

  test("reading a call without a signature throws", () => {
    expect(() => readCall(aCall({ requestContext: {} }))).toThrow();
  });

  test("the signature determines a call's caller, regardless of its body and headers", () => {
    const lying = aCall({ body: '{"session":"i-9"}', headers: { "x-session": "i-9" } });
    expect(readCall(lying)).toMatchObject(caller);
  });
});

test("a good response is JSON, and a refusal is problem details", () => {
  expect(jsonResponse(200, { kind: "wait" })).toEqual({
    statusCode: 200,
    headers: { "content-type": "application/json" },
    body: '{"kind":"wait"}',
  });
  expect(jsonResponse(403, { title: "no" }).headers).toEqual({ "content-type": "application/problem+json" });
});

test("parsing text that is not JSON returns undefined", () => {
  expect(jsonOf("[1]")).toEqual([1]);
  expect(jsonOf("{a:1}")).toBeUndefined();
  expect(jsonOf("")).toBeUndefined();
});
