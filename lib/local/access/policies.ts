/** The policies of a stack, and the facts about its resources that calls are judged by. */
import type { ResourceFacts, TemplateFact } from "./calls/facts.ts";
import { checkConditions } from "./policy/condition-keys.ts";
import type { NamedStatement } from "./policy/statement.ts";

export type RoleFact = {
  readonly name: string;
  /** Who may assume it. */
  readonly trust: readonly NamedStatement[];
  /** The longest session, s. */
  readonly maxSeconds: number;
};

export type KeyFact = { readonly id: string; readonly arn: string; readonly tags: Readonly<Record<string, string>> };

/** Collected while the stack is created. */
export type PolicyFacts = {
  readonly roles: Map<string, RoleFact>;
  /** The statements of each role's policies. */
  readonly identity: Map<string, readonly NamedStatement[]>;
  /** The statements of the policies of buckets, queues and keys, by ARN. */
  readonly resource: Map<string, readonly NamedStatement[]>;
  readonly keys: KeyFact[];
  /** The key's id by the alias's name. */
  readonly aliases: Map<string, string>;
  readonly templates: TemplateFact[];
};

export const emptyPolicyFacts = (): PolicyFacts => ({
  roles: new Map(),
  identity: new Map(),
  resource: new Map(),
  keys: [],
  aliases: new Map(),
  templates: [],
});

/** Adds statements to those of a role or a resource. Throws the FleetError `template` if one of them cannot be judged here. */
export function addStatements(to: Map<string, readonly NamedStatement[]>, of: string, statements: readonly NamedStatement[]): void {
  checkConditions(statements);
  to.set(of, [...(to.get(of) ?? []), ...statements]);
}

/**
 * Returns the policy of the resource that a call asks for, and whether nothing is allowed without it: KMS keys must name who may use them, and
 * roles who may assume them.
 */
export function resourcePolicy(
  facts: PolicyFacts,
  { action, resource }: { action: string; resource: string },
  account: string,
): { resource?: readonly NamedStatement[]; isResourceRequired?: true } {
  if (action.startsWith("sts:")) {
    const prefix = `arn:aws:iam::${account}:role/`;
    const role = resource.startsWith(prefix) ? resource.slice(prefix.length) : "";
    return { resource: facts.roles.get(role)?.trust ?? [], isResourceRequired: true };
  }
  if (resource.startsWith("arn:aws:kms:")) return { resource: facts.resource.get(resource) ?? [], isResourceRequired: true };
  const bucket = /^(arn:aws:s3:::[^/]+)/.exec(resource)?.[1];
  return { resource: facts.resource.get(bucket ?? resource) ?? [] };
}

/** Returns the facts that name what a call asks for. `instanceTags`: of the emulated EC2. */
export function resourceFacts(
  facts: PolicyFacts,
  where: { account: string; region: string; instanceTags: ResourceFacts["instanceTags"] },
): ResourceFacts {
  return {
    ...where,
    key: (name) => {
      const short = name.replace(/^arn:aws:kms:[^:]*:[^:]*:/, "").replace(/^key\//, "");
      const id = facts.aliases.get(short) ?? short;
      return facts.keys.find((key) => key.id === id);
    },
    template: (idOrName) => facts.templates.find(({ id, name }) => id === idOrName || name === idOrName),
  };
}
