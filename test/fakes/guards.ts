import type { Guard } from "../../lib/local/access/guard.ts";
import { createGuard } from "../../lib/local/access/guard.ts";
import { addStatements, emptyPolicyFacts, type PolicyFacts, resourceFacts } from "../../lib/local/access/policies.ts";
import { named, Statement } from "../../lib/local/access/policy/statement.ts";
import { createIdentities, type Identities } from "../../lib/local/requests/identities.ts";

/** Takes every caller for the administrator, and allows everything. */
export const openGuard: Guard = {
  identify: () => ({ principal: { role: "administrator", session: "local" } }),
  refuse: () => undefined,
  refuseDecryption: () => undefined,
  isAllowed: () => true,
  may: () => true,
};

export const testAccount = "000000000000";

/** A guard with policies that a test gives: statements by role, as in a template. */
export function guardOf(
  statements: Readonly<Record<string, readonly object[]>> = {},
  over: { policies?: PolicyFacts; identities?: Identities; onJudged?: Parameters<typeof createGuard>[0]["onJudged"] } = {},
): Guard {
  const { policies = emptyPolicyFacts(), identities = createIdentities(), onJudged = () => undefined } = over;
  for (const [role, all] of Object.entries(statements))
    addStatements(
      policies.identity,
      role,
      named(
        role,
        all.map((each) => Statement.parse(each)),
      ),
    );
  const facts = resourceFacts(policies, { account: testAccount, region: "us-east-1", instanceTags: () => ({}) });
  return createGuard({ policies, facts, identities, now: Date.now, onJudged, onMalformed: () => undefined });
}
