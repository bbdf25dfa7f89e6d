import fc from "fast-check";
import { expect, test } from "vitest";
import type { NamedStatement } from "../../lib/local/access/policy/statement.ts";
import { type AccessCaller, type AccessRequest, judge, type Policies } from "../../lib/local/access/policy/verdict.ts";

const account = "123456789012";
const roleArn = `arn:aws:iam::${account}:role/r`;
const sessionArn = `arn:aws:sts::${account}:assumed-role/r/s`;
const caller: AccessCaller = { kind: "role", roleArn, sessionArn, account };
const actions = ["s3:GetObject", "s3:PutObject"];
const resources = ["arn:aws:s3:::b/k", "arn:aws:s3:::b/l"];

const arbStatement = (principals: readonly (readonly string[] | undefined)[]): fc.Arbitrary<NamedStatement> =>
  fc.record({
    Effect: fc.constantFrom("Allow" as const, "Deny" as const),
    Action: fc.constantFrom(["s3:*"], ["s3:Get*"], ["s3:PutObject"]),
    Resource: fc.constantFrom(["*"], ["arn:aws:s3:::b/k"], ["arn:aws:s3:::b/?"]),
    Condition: fc.constantFrom({}, { Bool: { "aws:SecureTransport": ["true"] } }, { StringNotEquals: { "aws:ResourceAccount": ["1"] } }),
    Principal: fc.constantFrom(...principals).map((AWS) => (AWS ? { AWS: [...AWS], Service: [] } : undefined)),
    name: fc.string(),
  });
const own = fc.array(arbStatement([undefined]), { maxLength: 4 });
const ofResource = fc.array(arbStatement([["*"], [roleArn], [sessionArn], [account], ["999999999999"]]), { maxLength: 4 });
const arbPolicies: fc.Arbitrary<Policies> = fc.record({
  identity: own,
  session: fc.option(own, { nil: undefined }),
  resource: fc.option(ofResource, { nil: undefined }),
  isResourceRequired: fc.boolean(),
});
const arbRequest: fc.Arbitrary<AccessRequest> = fc.record({
  action: fc.constantFrom(...actions),
  resource: fc.constantFrom(...resources),
  context: fc.constantFrom({}, { "aws:securetransport": ["true"] }, { "aws:resourceaccount": ["1"] }),
});
const isAllowed = (request: AccessRequest, policies: Policies): boolean => judge(request, caller, policies).isAllowed;

/**
 * AWS's documented order within one account, as a table: what the identity's, the session's and the resource's policies say. `alone` asks for
 * one policy at a time, so this does not repeat how statements are matched.
 */
function expected(request: AccessRequest, { identity, session, resource = [], isResourceRequired = false }: Policies): boolean {
  const alone = (statements: readonly NamedStatement[]) => isAllowed(request, { identity: statements });
  const withoutPrincipal = (each: NamedStatement): NamedStatement => ({ ...each, Principal: undefined });
  const naming = (...names: readonly string[]) => resource.filter(({ Principal }) => Principal?.AWS.some((each) => names.includes(each)));
  const grants = (...names: readonly string[]) =>
    naming(...names).some((each) => each.Effect === "Allow" && alone([withoutPrincipal(each)]));
  const denies = (statements: readonly NamedStatement[]) =>
    statements.some((each) => each.Effect === "Deny" && alone([{ ...withoutPrincipal(each), Effect: "Allow" }]));
  if ([identity, session ?? [], naming("*", roleArn, sessionArn, account)].some(denies)) return false;
  if (grants(sessionArn)) return true;
  if (session !== undefined && !alone(session)) return false;
  if (grants("*", roleArn)) return true;
  return alone(identity) && (!isResourceRequired || grants(account));
}

test("every verdict follows AWS's documented order of policies", () => {
  fc.assert(
    fc.property(arbRequest, arbPolicies, (request, policies) => {
      expect(isAllowed(request, policies)).toBe(expected(request, policies));
    }),
    { numRuns: 5_000 },
  );
});

test("a further denial never allows more, and a further allowance never allows less", () => {
  fc.assert(
    fc.property(arbRequest, arbPolicies, arbStatement([undefined]), (request, policies, added) => {
      const after = isAllowed(request, { ...policies, identity: [...policies.identity, added] });
      const before = isAllowed(request, policies);
      expect(added.Effect === "Deny" ? before || !after : after || !before).toBe(true);
    }),
  );
});

test("the order of statements does not change the verdict", () => {
  fc.assert(
    fc.property(arbRequest, arbPolicies, (request, policies) => {
      const { identity, session, resource } = policies;
      const reversed = { identity: identity.toReversed(), session: session?.toReversed(), resource: resource?.toReversed() };
      expect(isAllowed(request, { ...policies, ...reversed })).toBe(isAllowed(request, policies));
    }),
  );
});

test("a session's policy never allows what its role may not do", () => {
  fc.assert(
    fc.property(arbRequest, arbPolicies, (request, policies) => {
      if (isAllowed(request, policies)) expect(isAllowed(request, { ...policies, session: undefined })).toBe(true);
    }),
  );
});
