import { describe, expect, it, test } from "vitest";
import { named, Statement } from "../../../lib/local/access/policy/statement.ts";
import { type AccessCaller, type AccessRequest, judge, type Policies } from "../../../lib/local/access/policy/verdict.ts";

const account = "123456789012";
const roleArn = `arn:aws:iam::${account}:role/r`;
const sessionArn = `arn:aws:sts::${account}:assumed-role/r/s`;
const role: AccessCaller = { kind: "role", roleArn, sessionArn, account };
const statement = (over: object = {}) =>
  Statement.parse({ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*", ...over });
const of = (...all: readonly object[]) => named("policy", all.map(statement));
const read = (over: Partial<AccessRequest> = {}): AccessRequest => ({
  action: "s3:GetObject",
  resource: "arn:aws:s3:::b/k",
  context: {},
  ...over,
});
const isAllowed = (policies: Partial<Policies>, request = read(), caller: AccessCaller = role): boolean =>
  judge(request, caller, { identity: [], ...policies }).isAllowed;

describe("an identity's policy", () => {
  it("an action is allowed if a statement names it and its resource, also with wildcards", () => {
    expect(isAllowed({ identity: of({}) })).toBe(true);
    expect(isAllowed({ identity: of({ Action: ["s3:Put*", "S3:get?bject"] }) })).toBe(true);
    for (const other of [
      { action: "s3:PutObject" },
      { resource: "arn:aws:s3:::c/k" },
      { resource: "ARN:aws:s3:::b/k" },
      { action: "s3:GetObjects" },
    ])
      expect(isAllowed({ identity: of({}) }, read(other))).toBe(false);
    expect(isAllowed({})).toBe(false);
  });

  it("a statement about all resources except some is not about those", () => {
    const identity = of({ Resource: undefined, NotResource: "arn:aws:s3:::b/kept/*" });
    expect(isAllowed({ identity })).toBe(true);
    expect(isAllowed({ identity }, read({ resource: "arn:aws:s3:::b/kept/k" }))).toBe(false);
  });

  it("a denial takes precedence over what is allowed, wherever it stands", () => {
    const deny = of({ Effect: "Deny" });
    const principal = { Principal: "*" };
    expect(isAllowed({ identity: [...of({}), ...deny] })).toBe(false);
    expect(isAllowed({ identity: of({}), session: [...of({}), ...deny] })).toBe(false);
    expect(isAllowed({ identity: of({}), resource: of({ Effect: "Deny", ...principal }) })).toBe(false);
    expect(isAllowed({ identity: of({}), resource: of({ Effect: "Deny", Action: "s3:PutObject", ...principal }) })).toBe(true);
  });

  it("the verdict names the statement that decided, or the policy that lacks one", () => {
    const request = read();
    const allowed = judge(request, role, { identity: of({ Sid: "Read" }) });
    expect(allowed).toMatchObject({ isAllowed: true, by: { name: "policy/Read" } });
    const denied = judge(request, role, { identity: of({}, { Effect: "Deny" }) });
    expect(denied).toMatchObject({ isAllowed: false, by: { name: "policy/2" } });
    expect(judge(request, role, { identity: [] })).toEqual({ isAllowed: false, lacks: "identity" });
    expect(judge(request, role, { identity: of({}), session: [] })).toEqual({ isAllowed: false, lacks: "session" });
    expect(judge(request, role, { identity: of({}), isResourceRequired: true })).toEqual({ isAllowed: false, lacks: "resource" });
  });
});

describe("a resource's policy", () => {
  test.each<[string, object | string, boolean]>([
    ["everybody", "*", true],
    ["every AWS principal", { AWS: "*" }, true],
    ["the caller's role", { AWS: roleArn }, true],
    ["the caller's session", { AWS: sessionArn }, true],
    ["the caller's account, which leaves it to identity policies", { AWS: `arn:aws:iam::${account}:root` }, false],
    ["another account", { AWS: "arn:aws:iam::999999999999:root" }, false],
    ["another role", { AWS: `${roleArn}2` }, false],
    ["a service", { Service: "events.amazonaws.com" }, false],
  ])("what it allows %s, it allows a caller without a policy of its own: %j %s", (_who, Principal, expected) => {
    expect(isAllowed({ resource: of({ Principal }) })).toBe(expected);
  });

  it("a denial for the account concerns all of its principals", () => {
    const resource = of({ Effect: "Deny", Principal: { AWS: account } });
    expect(isAllowed({ identity: of({}), resource })).toBe(false);
  });

  it("if it is required, an identity's policy counts only if it names the account", () => {
    const required = (Principal?: object): Partial<Policies> => ({
      identity: of({}),
      resource: Principal ? of({ Principal }) : [],
      isResourceRequired: true,
    });
    expect(isAllowed(required({ AWS: `arn:aws:iam::${account}:root` }))).toBe(true);
    expect(isAllowed(required({ AWS: "arn:aws:iam::999999999999:root" }))).toBe(false);
    expect(isAllowed(required())).toBe(false);
  });

  it("a service may do only what a policy allows it by name", () => {
    const service: AccessCaller = { kind: "service", name: "events.amazonaws.com" };
    const asks = (Principal: object | string) => isAllowed({ resource: of({ Principal }) }, read(), service);
    expect([asks({ Service: "events.amazonaws.com" }), asks({ Service: "s3.amazonaws.com" }), asks({ AWS: roleArn })]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("a session's policy", () => {
  it("it limits what the role's policies allow, and allows nothing by itself", () => {
    expect(isAllowed({ identity: of({}), session: of({}) })).toBe(true);
    expect(isAllowed({ identity: of({}), session: of({ Action: "s3:PutObject" }) })).toBe(false);
    expect(isAllowed({ identity: [], session: of({}) })).toBe(false);
  });

  it("it limits what a resource allows the role, but not what it allows exactly this session", () => {
    const session = of({ Action: "s3:PutObject" });
    expect(isAllowed({ session, resource: of({ Principal: { AWS: roleArn } }) })).toBe(false);
    expect(isAllowed({ session, resource: of({ Principal: { AWS: sessionArn } }) })).toBe(true);
  });
});

describe("variables in resources", () => {
  const identity = of({ Resource: `arn:aws:s3:::b/\${aws:PrincipalTag/team}/*` });
  const asTeam = (team: string | undefined, resource: string) =>
    isAllowed({ identity }, read({ resource, context: { "aws:principaltag/team": team === undefined ? undefined : [team] } }));

  it("a variable stands for the caller's value, in which wildcards have no meaning", () => {
    expect(asTeam("vision", "arn:aws:s3:::b/vision/k")).toBe(true);
    expect(asTeam("vision", "arn:aws:s3:::b/speech/k")).toBe(false);
    expect(asTeam("*", "arn:aws:s3:::b/speech/k")).toBe(false);
    expect(asTeam("v?sion", "arn:aws:s3:::b/vision/k")).toBe(false);
  });

  it("nothing matches if the caller lacks the value", () => {
    expect(asTeam(undefined, "arn:aws:s3:::b//k")).toBe(false);
    expect(asTeam(undefined, `arn:aws:s3:::b/\${aws:PrincipalTag/team}/k`)).toBe(false);
  });
});
