/**
 * Whether a principal of this account may do something, in the order that the IAM User Guide documents ("Policy evaluation logic" within
 * one account): a denial anywhere wins; then a resource's policy may allow it by itself, and otherwise an identity's policy has to. A session's
 * own policy limits both. AWS Organizations' policies and permissions boundaries are not used here.
 */
import { conditionsHold } from "./conditions.ts";
import { type ConditionContext, matches, matchesWithVariables } from "./patterns.ts";
import type { NamedStatement } from "./statement.ts";

/** What a call asks for. A call may ask for several things, all of which must be allowed. */
export type AccessRequest = { readonly action: string; readonly resource: string; readonly context: ConditionContext };

/** Who asks: a session of a role, or a service of AWS. */
export type AccessCaller =
  | { readonly kind: "role"; readonly roleArn: string; readonly sessionArn: string; readonly account: string }
  | { readonly kind: "service"; readonly name: string };

export type Policies = {
  /** Of the caller's role. */
  readonly identity: readonly NamedStatement[];
  /** The policy that was passed when the session was made; undefined for none. */
  readonly session?: readonly NamedStatement[] | undefined;
  /** Of the resource; undefined if it has none. */
  readonly resource?: readonly NamedStatement[] | undefined;
  /** Whether nothing is allowed without the resource's policy, as with KMS keys and the trust policies of roles. */
  readonly isResourceRequired?: boolean | undefined;
};

export type Verdict = {
  readonly isAllowed: boolean;
  /** The statement that decided. Undefined if nothing is allowed because no statement allows it. */
  readonly by?: NamedStatement | undefined;
  /** Where an allowing statement is missing. */
  readonly lacks?: "identity" | "resource" | "session" | undefined;
};

export function judge(request: AccessRequest, caller: AccessCaller, policies: Policies): Verdict {
  const { identity, session, resource = [], isResourceRequired = false } = policies;
  const about = (statements: readonly NamedStatement[]) => statements.filter((statement) => applies(statement, request));
  const ofResource = about(resource).flatMap((statement) => {
    const how = reach(statement, caller);
    return how === undefined ? [] : { statement, how };
  });
  const [ofIdentity, ofSession] = [about(identity), about(session ?? [])];
  const all = [...ofIdentity, ...ofSession, ...ofResource.map(({ statement }) => statement)];
  const denied = all.find(({ Effect }) => Effect === "Deny");
  if (denied) return { isAllowed: false, by: denied };
  const allowing = ofResource.filter(({ statement }) => statement.Effect === "Allow");
  const direct = allowing.find(({ how }) => how === "session") ?? allowing.find(({ how }) => how === "role");
  // What is granted to exactly this session is not limited by the session's policy.
  const isLimited = session !== undefined && direct?.how !== "session";
  if (isLimited && !ofSession.some(({ Effect }) => Effect === "Allow")) return { isAllowed: false, lacks: "session" };
  if (direct) return { isAllowed: true, by: direct.statement };
  if (isResourceRequired && allowing.length === 0) return { isAllowed: false, lacks: "resource" };
  const granted = ofIdentity.find(({ Effect }) => Effect === "Allow");
  return granted ? { isAllowed: true, by: granted } : { isAllowed: false, lacks: caller.kind === "role" ? "identity" : "resource" };
}

function applies(statement: NamedStatement, { action, resource, context }: AccessRequest): boolean {
  const { Action, Resource, NotResource } = statement;
  const isOn = (pattern: string): boolean => matchesWithVariables(pattern, resource, context);
  return (
    Action.some((pattern) => matches(pattern, action, "i")) &&
    (Resource === undefined || Resource.some(isOn)) &&
    !NotResource?.some(isOn) &&
    conditionsHold(statement, context)
  );
}

/**
 * How a statement of a resource's policy names the caller; undefined if it does not. `account`: only as one of the account's principals, so
 * that a denial concerns it, but an allowance leaves it to identity policies.
 */
function reach({ Principal }: NamedStatement, caller: AccessCaller): "session" | "role" | "account" | undefined {
  // A statement without a principal is not about anyone in particular, for example in a resource's policy that is passed for a test.
  if (!Principal) return undefined;
  if (caller.kind === "service") return Principal.Service.includes(caller.name) ? "role" : undefined;
  if (Principal.AWS.includes(caller.sessionArn)) return "session";
  if (Principal.AWS.includes("*") || Principal.AWS.includes(caller.roleArn)) return "role";
  const account = [caller.account, `arn:aws:iam::${caller.account}:root`];
  return Principal.AWS.some((each) => account.includes(each)) ? "account" : undefined;
}
