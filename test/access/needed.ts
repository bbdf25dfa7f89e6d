/** Which statements of a stack's policies the recorded questions need. */
import type { AccessLine, KeptPolicies } from "../../lib/local/access/access-log.ts";
import { everything } from "../../lib/local/access/guard.ts";
import { matches } from "../../lib/local/access/policy/patterns.ts";
import type { NamedStatement } from "../../lib/local/access/policy/statement.ts";
import { type AccessCaller, judge } from "../../lib/local/access/policy/verdict.ts";
import { administrator, roleArn, sessionArn } from "../../lib/local/requests/identities.ts";

/** The parts of `resourcePolicy` that a report needs: the policy of what a question is about. */
export type PolicyOf = (question: Pick<AccessLine, "action" | "resource">) => {
  readonly resource?: readonly NamedStatement[];
  readonly isResourceRequired?: true;
};

export type Unneeded = {
  readonly statement: string;
  /** Undefined if no question needs the statement at all. */
  readonly actions?: readonly string[];
};

const isSession = (who: string): boolean => !who.endsWith(".amazonaws.com");

/**
 * Returns the statements without which every recorded question has the same verdict, and the actions of the other statements that no
 * question asks for. Denials are left out, because no sound call needs one.
 */
export function unneeded(lines: readonly AccessLine[], policies: KeptPolicies, policyOf: PolicyOf): readonly Unneeded[] {
  const everywhere = [policies.identity, policies.resource, policies.trust].flatMap((each) => Object.values(each).flat());
  const names = [...new Set(everywhere.filter(({ Effect }) => Effect === "Allow").map(({ name }) => name))];
  const asked = lines.filter(({ isAllowed }) => isAllowed);
  return names.flatMap((name): Unneeded[] => {
    const using = asked.filter((line) => mayUse(line, name, everywhere));
    if (!using.some((line) => !isAllowedWithout(line, name, policies, policyOf))) return [{ statement: name }];
    const statement = everywhere.find((each) => each.name === name);
    const actions = (statement?.Action ?? []).filter((pattern) => !using.some(({ action }) => matches(pattern, action, "i")));
    return actions.length > 0 ? [{ statement: name, actions }] : [];
  });
}

/** A statement that names no action of a question cannot change its verdict. */
const mayUse = ({ action }: AccessLine, name: string, all: readonly NamedStatement[]): boolean =>
  all.some((each) => each.name === name && each.Action.some((pattern) => matches(pattern, action, "i")));

function isAllowedWithout(line: AccessLine, name: string, { identity }: KeptPolicies, policyOf: PolicyOf): boolean {
  const { who } = line;
  const account = line.context["aws:resourceaccount"]?.[0] ?? "";
  const caller: AccessCaller = isSession(who)
    ? { kind: "role", account, roleArn: roleArn(who, account), sessionArn: sessionArn({ role: who, session: "s" }, account) }
    : { kind: "service", name: who };
  const without = (statements: readonly NamedStatement[]) => statements.filter((each) => each.name !== name);
  const { resource, ...required } = policyOf(line);
  const policiesOf = {
    identity: who === administrator.role ? everything : without(identity[who] ?? []),
    resource: without(resource ?? []),
    ...required,
  };
  return judge(line, caller, policiesOf).isAllowed;
}
