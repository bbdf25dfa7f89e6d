import { describe, expect, it } from "vitest";
import { assumedRole } from "../../../lib/local/requests/assumed-role.ts";
import { whyForeign } from "../../../lib/local/requests/caller.ts";
import { hiddenObject } from "../../../lib/local/requests/hidden-objects.ts";
import { isAllowed, Statement } from "../../../lib/local/requests/policy.ts";

const statement = (over: object = {}) =>
  Statement.parse({ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*", ...over });

describe("the statements of a policy", () => {
  const read = (over: object = {}) => ({ action: "s3:GetObject", resource: "arn:aws:s3:::b/k", ...over });

  it("an action is allowed if a statement names it and its resource, also with wildcards", () => {
    expect(isAllowed([statement()], read())).toBe(true);
    expect(isAllowed([statement({ Action: ["s3:Put*", "s3:get?bject"] })], read())).toBe(true);
    for (const other of [
      { action: "s3:PutObject" },
      { resource: "arn:aws:s3:::c/k" },
      { resource: "ARN:aws:s3:::b/k" },
      { action: "s3:GetObjects" },
    ])
      expect(isAllowed([statement()], read(other))).toBe(false);
    // A point stands for itself.
    expect(isAllowed([statement({ Resource: "a.b" })], read({ resource: "axb" }))).toBe(false);
    expect(isAllowed([], read())).toBe(false);
  });

  it("a denial takes precedence over what is allowed, if it is about the same action and resource", () => {
    const deny = (over: object = {}) => statement({ Effect: "Deny", ...over });
    expect(isAllowed([statement(), deny()], read())).toBe(false);
    expect(isAllowed([statement(), deny({ Action: "s3:PutObject" })], read())).toBe(true);
    expect(isAllowed([deny()], read())).toBe(false);
  });

  it.each([
    ["StringEquals", "a", "a", "b"],
    ["StringEquals", ["a", "b"], "b", "c"],
    ["StringLike", "a*", "ab", "ba"],
    ["ArnEquals", "arn:*:x", "arn:1:x", "arn:1:y"],
    ["ArnLike", "arn:?:x", "arn:1:x", "arn:12:x"],
    ["Bool", true, "true", "false"],
  ])("a condition with %s holds for the values that it wants: %j", (operator, wanted, good, bad) => {
    const conditional = (Effect: string) => statement({ Effect, Condition: { [operator]: { "aws:Key": wanted } } });
    const given = (value: string) => read({ context: { "aws:key": value } });
    expect([good, bad].map((value) => isAllowed([conditional("Allow")], given(value)))).toEqual([true, false]);
    expect(isAllowed([conditional("Allow")], read())).toBe(false);
    expect([good, bad].map((value) => isAllowed([statement(), conditional("Deny")], given(value)))).toEqual([false, true]);
  });

  it("all conditions of a statement must hold", () => {
    const both = statement({ Condition: { StringEquals: { a: "1", b: "2" }, StringLike: { c: "3" } } });
    const held = { a: "1", b: "2", c: "3" };
    expect(isAllowed([both], read({ context: held }))).toBe(true);
    for (const name of ["a", "b", "c"]) expect(isAllowed([both], read({ context: { ...held, [name]: "9" } }))).toBe(false);
  });

  it("a condition that is not supported counts as met in a denial only", () => {
    const unknown = (Effect: string) => statement({ Effect, Condition: { NumericLessThan: { a: "1" } } });
    expect(isAllowed([unknown("Allow")], read({ context: { a: "0" } }))).toBe(false);
    expect(isAllowed([statement(), unknown("Deny")], read({ context: { a: "0" } }))).toBe(false);
  });
});

describe("an object that does not exist", () => {
  const account = "123456789012";
  const absent = { method: "GET", path: "/b/k?x=1", status: 404, body: "<Error><Code>NoSuchKey</Code></Error>" };
  const may = [statement({ Action: "s3:ListBucket", Resource: "arn:aws:s3:::b" })];

  it("a caller who may not list the bucket is denied access, without a body to a HEAD", () => {
    expect(hiddenObject(absent, [], account)?.body).toContain("<Code>AccessDenied</Code>");
    expect(hiddenObject({ ...absent, method: "HEAD", body: "" }, [], account)).toEqual({ body: "" });
    expect(hiddenObject(absent, [statement({ Action: "s3:ListBucket", Resource: "arn:aws:s3:::c" })], account)).toBeDefined();
    expect(hiddenObject(absent, [statement({ ...may[0], Condition: { StringLike: { "s3:prefix": "k" } } })], account)).toBeDefined();
  });

  it.each<[string, object, readonly Statement[] | undefined]>([
    ["a caller who may list the bucket", {}, may],
    [
      "a caller who may list the buckets of its account",
      {},
      [statement({ ...may[0], Condition: { StringEquals: { "aws:ResourceAccount": account } } })],
    ],
    ["a caller who is not known", {}, undefined],
    ["a bucket that does not exist", { body: "<Error><Code>NoSuchBucket</Code></Error>" }, []],
    ["a list of a bucket", { path: "/b/?list-type=2" }, []],
    ["a write", { method: "PUT" }, []],
    ["an object that exists", { status: 200 }, []],
  ])("the response is unchanged for %s", (_, over, statements) => {
    expect(hiddenObject({ ...absent, ...over }, statements, account)).toBeUndefined();
  });
});

describe("a role that MiniStack lets someone assume", () => {
  const request = (over: object = {}) =>
    new URLSearchParams({ Action: "AssumeRole", RoleArn: "arn:aws:iam::0:role/path/team", RoleSessionName: "s", ...over }).toString();
  const response = (Expiration = "2026-01-01T00:00:00Z", key = "ASIA1") =>
    `<R><AccessKeyId>${key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${Expiration}</Expiration></R>`;

  it("the credentials belong to the role, without its path, and to the session", () => {
    expect(assumedRole(request(), response())).toEqual({
      principal: { role: "team", session: "s" },
      credentials: { accessKeyId: "ASIA1", secretAccessKey: "s", sessionToken: "t", expiresAtMs: Date.UTC(2026, 0, 1) },
    });
    const plain = new URLSearchParams({ Action: "AssumeRole", RoleArn: "arn:aws:iam::0:role/team" });
    expect(assumedRole(plain.toString(), response())?.principal).toEqual({ role: "team", session: "" });
  });

  it.each([
    ["another action", request({ Action: "GetCallerIdentity" }), response()],
    ["no role", request({ RoleArn: "arn:aws:iam::0:user/u" }), response()],
    ["a response without a key", request(), response(undefined, "")],
    ["a response without an end", request(), response("soon")],
  ])("no credentials are known after %s", (_, asked, given) => {
    expect(assumedRole(asked, given)).toBeUndefined();
  });
});

it.each([
  [{ host: "127.0.0.1:4566" }, undefined],
  [{ host: "LOCALHOST" }, undefined],
  [{ host: "bucket.s3.localhost:1", origin: "http://bucket.s3.localhost:1", "sec-fetch-site": "same-origin" }, undefined],
  [{ host: "localhost:1", "sec-fetch-site": "none" }, undefined],
  [{}, /serves only this machine/],
  [{ host: "localhost.evil.example" }, /not as "localhost.evil.example"/],
  [{ host: "localhost:1", origin: "http://localhost:2" }, /Web pages of http:\/\/localhost:2/],
  [{ host: "localhost:1", origin: "https://localhost:1" }, /Web pages of https/],
  [{ host: "localhost:1", "sec-fetch-site": "same-site" }, /another site/],
])("a call with the headers %j may or may not come from a web page", (headers, why) => {
  if (why === undefined) expect(whyForeign(headers)).toBeUndefined();
  else expect(whyForeign(headers)).toMatch(why);
});
