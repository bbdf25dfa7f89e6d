import type { HttpCall } from "../../requests/http.ts";
import { type Tree, treeOf } from "../../requests/query-protocol.ts";
import type { AccessRequest } from "../policy/verdict.ts";
import { type Describe, onAll, tagContext } from "./facts.ts";

/** A call of AssumeRole. */
export type Assumption = {
  readonly roleArn: string;
  readonly session: string;
  readonly seconds: number;
  /** The session's tags. */
  readonly tags: Readonly<Record<string, string>>;
  /** The session's policy, as JSON; undefined for none. */
  readonly policy?: string | undefined;
};

const textOf = (value: Tree | undefined): string | undefined => (typeof value === "string" ? value : undefined);

/** Returns what a call to AssumeRole asks for; undefined for any other call to STS. `seconds`: STS's default is an hour. */
export function assumptionOf(call: HttpCall): Assumption | undefined {
  const form = new URLSearchParams(call.body.toString());
  const roleArn = form.get("RoleArn");
  if (form.get("Action") !== "AssumeRole" || roleArn === null) return undefined;
  const { Tags } = Object(treeOf(form)) as { Tags?: { member?: readonly Tree[] } };
  const tags = (Array.isArray(Tags?.member) ? Tags.member : []).flatMap((each: Tree) => {
    const { Key, Value } = Object(each) as { Key?: Tree; Value?: Tree };
    const [key, value] = [textOf(Key), textOf(Value)];
    return key === undefined ? [] : [[key, value ?? ""] as const];
  });
  return {
    roleArn,
    session: form.get("RoleSessionName") ?? "",
    seconds: Number(form.get("DurationSeconds") ?? 3600),
    tags: Object.fromEntries(tags),
    ...(form.has("Policy") && { policy: form.get("Policy") ?? "" }),
  };
}

/** Returns what a call to STS asks for. GetCallerIdentity needs no permission. */
export const onSts: Describe = (call) => {
  const assumption = assumptionOf(call);
  const action = new URLSearchParams(call.body.toString()).get("Action") ?? "";
  if (!assumption) return action === "GetCallerIdentity" ? [] : onAll(`sts:${action}`);
  const { roleArn, tags } = assumption;
  // Managed policies would limit the session, and none is known here.
  if (new URLSearchParams(call.body.toString()).has("PolicyArns.member.1.arn")) return onAll("sts:AssumeRoleWithPolicyArns");
  const keys = Object.keys(tags);
  const context: AccessRequest["context"] = { ...tagContext("request", tags), ...(keys.length > 0 && { "aws:tagkeys": keys }) };
  const actions = keys.length > 0 ? ["sts:AssumeRole", "sts:TagSession"] : ["sts:AssumeRole"];
  return actions.map((each) => ({ action: each, resource: roleArn, context }));
};
