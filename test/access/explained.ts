import { matches } from "../../lib/local/access/policy/patterns.ts";
import type { NamedStatement } from "../../lib/local/access/policy/statement.ts";

type Reason = {
  /** Part of the statement's name, which begins with the role or the resource. */
  readonly of: RegExp;
  /** The actions that it is about. @default all of the statement */
  readonly actions?: readonly string[];
  readonly why: string;
};

/** Rights that no run on one machine needs, and why the stack has them. */
const reasons: readonly Reason[] = [
  { of: /\//, actions: ["s3:AbortMultipartUpload"], why: "a large upload is aborted only if it fails" },
  { of: /^EndFleet/, why: "only the deletion of the stack ends the fleet; test/contract/stack-deletion.test.ts runs it" },
  { of: /^NodeRole\/HandOut/, why: "the job role trusts the node role by name, which is enough in one account; both sides say it" },
  { of: /^PlaceHandlerRole\/FirstOfTheAccount/, why: "only the first spot launch of an account creates AWS's role" },
  { of: /^TeamsKeyTEAM\/TeamLogs/, why: "CloudWatch Logs asks for all of these rights before it encrypts a log group" },
  { of: /^PlaceHandlerRole\/Look/, why: "only nodes that are slow or silent are looked up; test/contract/suites/fleet.ts looks some up" },
  {
    of: /^RebalanceShardsHandlerRole\/KeepLists/,
    actions: ["s3:DeleteObject"],
    why: "lists are deleted when nothing uses them any more, some time later",
  },
  { of: /^TakeOutboxHandlerRole\/Find/, why: "S3 reports that an outbox is absent only to callers that may list the bucket" },
  {
    of: /^TakeOutboxHandlerRole\/Upload/,
    why: "only an outbox of an attempt whose credentials had ended holds files; test/contract/outboxes.test.ts takes them in",
  },
  {
    of: /^TickRole\/FindOutboxes/,
    why: "the tick looks for outboxes of nodes that ended in silence; test/contract/outboxes.test.ts finds them",
  },
  { of: /^TickRole\/EndOurs/, why: "the tick ends instances that no record owns; test/contract/fleet.test.ts ends them" },
  { of: /^TeamRolesTEAM\/ListArtifacts/, why: "the segments of a kept log are listed; test/contract/kept-logs.test.ts reads them" },
  { of: /^BucketsLogsPolicy\//, why: "flow logs of the network are not written on one machine" },
];

/** Returns why a statement, or an action of it, stays although nothing needed it; undefined if there is no reason. */
export const explained = (name: string, action: string | undefined): string | undefined =>
  reasons.find(
    ({ of, actions }) =>
      of.test(name) && (actions === undefined || (action !== undefined && actions.some((each) => matches(each, action)))),
  )?.why;

/** Returns a statement's name without what differs between teams and synths: `TeamRolesTEAM/Submit` for `TeamRolesvisionDefaultPolicyA1D87589/Submit`. */
export const shortName = ({ name }: Pick<NamedStatement, "name">, teams: readonly string[]): string => {
  const [policy = "", rest = ""] = name.split("/");
  const team = teams.find((each) => policy.includes(each));
  const plain = policy.replace(/(DefaultPolicy)?[0-9A-F]{8}(?= |$)/, "");
  return `${team === undefined ? plain : plain.replace(team, "TEAM")}/${rest}`;
};
