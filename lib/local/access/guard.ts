import { inWords } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { HttpCall, HttpResponse } from "../requests/http.ts";
import { administrator, type Identities, type Principal, roleArn, sessionArn, userId } from "../requests/identities.ts";
import { Ec2Error, errorResponse } from "../requests/query-protocol.ts";
import type { SignedFor } from "../requests/service-of.ts";
import { onAll, operationOf, type ResourceFacts, tagContext } from "./calls/facts.ts";
import { decrypting } from "./calls/s3.ts";
import { describeCalls } from "./calls/services.ts";
import { assumptionOf } from "./calls/sts.ts";
import { wireProblem } from "./calls/wire-form.ts";
import { type PolicyFacts, resourcePolicy } from "./policies.ts";
import { checkConditions } from "./policy/condition-keys.ts";
import { type NamedStatement, named, PolicyDocument } from "./policy/statement.ts";
import { type AccessCaller, type AccessRequest, judge, type Verdict } from "./policy/verdict.ts";
import { type AccessRefusal, refused } from "./refusal.ts";

/** A service of AWS that acts for itself, such as `events.amazonaws.com`. */
type ServiceCaller = { readonly service: string };

/** A question that was judged, with its verdict. `who`: a role's or a service's name. */
export type JudgedAccess = AccessRequest & { readonly who: string; readonly verdict: Verdict };

export type GuardOptions = {
  readonly policies: PolicyFacts;
  readonly facts: ResourceFacts;
  readonly identities: Identities;
  readonly now: () => number;
  /** Called with everything that is judged, except what `may` asks. */
  readonly onJudged: (judged: JudgedAccess) => void;
  /** Called with each call that is refused because it is not in the form of AWS's clients. */
  readonly onMalformed: (call: { readonly who: string; readonly service: string; readonly problem: string }) => void;
};

/** Judges calls by the policies of the stack, as AWS does. */
export type Guard = {
  /** Returns the signer of a call, or the refusal of its credentials. Signatures themselves are not verified here. */
  identify(
    signed: SignedFor,
    call: Pick<HttpCall, "method" | "headers">,
  ): { readonly principal: Principal } | { readonly response: HttpResponse };
  /** Returns the refusal of a call, or undefined if the signer may make it. */
  refuse(service: string, call: HttpCall, principal: Principal): HttpResponse | undefined;
  /** Returns the refusal of S3's response to a call, because its reader may not use the key that the object is encrypted with. */
  refuseDecryption(call: HttpCall, principal: Principal, keyName: string): HttpResponse | undefined;
  /** Reports whether a role or a service may do something that AWS does without a call, such as delivering an event. */
  isAllowed(who: Principal | ServiceCaller, request: AccessRequest): boolean;
  /** Reports the same without a record, because AWS itself only looks at it. */
  may(principal: Principal, request: AccessRequest): boolean;
};

export function createGuard({ policies, facts, identities, now, onJudged, onMalformed }: GuardOptions): Guard {
  const judgeFor = (who: Principal | ServiceCaller, request: AccessRequest): JudgedAccess => {
    const whole = { ...request, context: { ...callerContext(who, facts), ...request.context } };
    const ofResource = resourcePolicy(policies, request, facts.account);
    if ("service" in who) {
      const verdict = judge(whole, { kind: "service", name: who.service }, { identity: [], ...ofResource });
      return { ...whole, who: who.service, verdict };
    }
    const verdict = judge(whole, callerOf(who, facts), { identity: identityOf(who, policies), session: sessionPolicy(who), ...ofResource });
    return { ...whole, who: who.role, verdict };
  };
  const firstRefusal = (who: Principal | ServiceCaller, requests: readonly AccessRequest[]): AccessRefusal | undefined => {
    for (const request of requests) {
      const judged = judgeFor(who, request);
      onJudged(judged);
      if (!judged.verdict.isAllowed) return { code: "AccessDenied", message: whyDenied(judged, who, facts) };
    }
    return undefined;
  };
  const responseTo = (service: string, call: HttpCall, refusal: AccessRefusal | undefined): HttpResponse | undefined =>
    refusal && refused(service, call, refusal);
  return {
    identify: ({ accessKeyId, service, sessionToken }, call) => {
      const known = identities.find(accessKeyId);
      if (!known || known.credentials.sessionToken !== sessionToken)
        return {
          response: refused(service, call, {
            code: "InvalidClientTokenId",
            message: "The security token included in the request is invalid.",
          }),
        };
      if (known.credentials.expiresAtMs <= now())
        return {
          response: refused(service, call, { code: "ExpiredToken", message: "The security token included in the request is expired" }),
        };
      return { principal: known.principal };
    },
    refuse: (service, call, principal) => {
      const problem = wireProblem(service, call);
      if (problem !== undefined) {
        onMalformed({ who: principal.role, service, problem });
        return refused(service, call, { code: "ValidationError", message: problem });
      }
      const requests = describedBy(service, call, facts);
      if (requests instanceof Ec2Error) return errorResponse(requests);
      const refusal = firstRefusal(principal, requests) ?? (service === "sts" ? wrongSession(call, principal, policies) : undefined);
      return responseTo(service, call, refusal);
    },
    refuseDecryption: (call, principal, keyName) => responseTo("s3", call, firstRefusal(principal, decrypting(call, keyName, facts))),
    isAllowed: (who, request) => firstRefusal(who, [request]) === undefined,
    may: (principal, request) => judgeFor(principal, request).verdict.isAllowed,
  };
}

/** Returns what a call asks for, or the error with which EC2 refuses a malformed one. */
function describedBy(service: string, call: HttpCall, facts: ResourceFacts): readonly AccessRequest[] | Ec2Error {
  try {
    const requests = describeCalls(service)(call, facts);
    // Only GetCallerIdentity asks for nothing.
    return requests.length === 0 && service !== "sts" ? onAll(`${service}:${operationOf(call)}`) : requests;
  } catch (error) {
    if (error instanceof Ec2Error) return error;
    throw error;
  }
}

/** The person who runs the local cloud has an administrator's policy. Policies of resources concern even that person. */
export const everything: readonly NamedStatement[] = named("administrator", [
  { Effect: "Allow", Action: ["*"], Resource: ["*"], Condition: {} },
]);

const identityOf = ({ role }: Principal, { identity }: PolicyFacts): readonly NamedStatement[] =>
  role === administrator.role ? everything : (identity.get(role) ?? []);

const callerOf = (principal: Principal, { account }: ResourceFacts): AccessCaller => ({
  kind: "role",
  account,
  roleArn: roleArn(principal.role, account),
  sessionArn: sessionArn(principal, account),
});

/** Calls on this machine use plain HTTP. On AWS, the SDKs use TLS, so that is what policies about it see. */
function callerContext(who: Principal | ServiceCaller, { account }: ResourceFacts): AccessRequest["context"] {
  const always = { "aws:securetransport": ["true"], "s3:tlsversion": ["1.3"], "aws:resourceaccount": [account] };
  if ("service" in who) return { ...always, "aws:sourceaccount": [account] };
  return {
    ...always,
    "aws:userid": [userId(who)],
    "aws:principalarn": [roleArn(who.role, account)],
    ...tagContext("principal", who.tags ?? {}),
  };
}

const sessionPolicy = ({ role, policy }: Principal): readonly NamedStatement[] | undefined =>
  policy === undefined ? undefined : sessionStatements(role, policy);

/** Reads the policy of a session. Throws if it is malformed. */
const sessionStatements = (role: string, policy: string): readonly NamedStatement[] =>
  named(`the session of ${role}`, PolicyDocument.parse(JSON.parse(policy)).Statement);

/** The longest session of a role that another role assumes, s ("role chaining"). */
const chainedSeconds = 3600;
const leastSeconds = 900;
/** Of a session's policy, in characters. */
const longestPolicy = 2_048;

/** Returns why STS refuses the session that a call asks for, though its caller may assume the role. */
function wrongSession(call: HttpCall, principal: Principal, { roles }: PolicyFacts): AccessRefusal | undefined {
  const assumption = assumptionOf(call);
  if (!assumption) return undefined;
  const { seconds, policy } = assumption;
  const role = assumption.roleArn.split("/").at(-1) ?? "";
  const malformed = policy === undefined ? undefined : whyNoDocument(role, policy);
  if (malformed !== undefined) return { code: "MalformedPolicyDocument", message: malformed };
  if (!/^[\w+=,.@-]{2,64}$/.test(assumption.session))
    return { code: "ValidationError", message: "roleSessionName must be 2 to 64 of A-Z, a-z, 0-9 and +=,.@-" };
  if (!(seconds >= leastSeconds)) return { code: "ValidationError", message: `DurationSeconds must be ${leastSeconds} or more` };
  const most = roles.get(role)?.maxSeconds ?? chainedSeconds;
  const isChained = principal.role !== administrator.role && seconds > chainedSeconds;
  if (seconds <= most && !isChained) return undefined;
  const why = isChained ? "the 1 hour session limit for roles assumed by role chaining" : "the MaxSessionDuration set for this role";
  return { code: "ValidationError", message: `The requested DurationSeconds exceeds ${why}.` };
}

/** Returns why a session's policy cannot be used. Its conditions must be ones that can be judged here, as those of the stack. */
function whyNoDocument(role: string, policy: string): string | undefined {
  if (policy.length > longestPolicy) return `The session's policy has more than ${longestPolicy} characters`;
  try {
    checkConditions(sessionStatements(role, policy));
    return undefined;
  } catch (error) {
    return error instanceof FleetError ? inWords(error) : "The session's policy has syntax that is not supported";
  }
}

/** Returns AWS's message about a denial, with the statement that AWS does not name. */
function whyDenied({ action, resource, verdict }: JudgedAccess, who: Principal | ServiceCaller, { account }: ResourceFacts): string {
  const user = "service" in who ? who.service : sessionArn(who, account);
  const missing = { identity: "identity-based", resource: "resource-based", session: "session" }[verdict.lacks ?? "identity"];
  const why = verdict.by ? `with an explicit deny in ${verdict.by.name}` : `because no ${missing} policy allows the ${action} action`;
  return `User: ${user} is not authorized to perform: ${action} on resource: ${resource} ${why}`;
}
