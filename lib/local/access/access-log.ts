import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { administrator } from "../requests/identities.ts";
import { createLogFile, type LocalLog } from "../run/log-line.ts";
import type { JudgedAccess } from "./guard.ts";
import type { PolicyFacts } from "./policies.ts";
import type { NamedStatement } from "./policy/statement.ts";

/** The file of all that was judged, a JSON object per line, each different question once. */
export const accessFile = "access.jsonl";
/** The file of the stack's policies. */
export const policiesFile = "policies.json";

/** A question as it is kept. */
export type AccessLine = Pick<JudgedAccess, "who" | "action" | "resource" | "context"> & {
  readonly isAllowed: boolean;
  /** The name of the statement that decided. */
  readonly by?: string | undefined;
};

/** The policies of a stack as they are kept, by the names of roles and by the ARNs of resources. */
export type KeptPolicies = {
  readonly identity: Readonly<Record<string, readonly NamedStatement[]>>;
  readonly trust: Readonly<Record<string, readonly NamedStatement[]>>;
  readonly resource: Readonly<Record<string, readonly NamedStatement[]>>;
};

/** The most different questions that are kept of one run. A run of the whole demonstration asks about two thousand. */
const maxKept = 20_000;

export type AccessLog = {
  /** Keeps the policies, once the stack exists. */
  begin(policies: PolicyFacts): Promise<void>;
  note(judged: JudgedAccess): void;
  close(): Promise<void>;
};

/**
 * Keeps what was judged in the run's folder, for the report on rights that are not used. Each new refusal is logged, too. `explain` gets a
 * sentence about each new reason.
 */
export function createAccessLog(options: { folder: string; log: LocalLog; explain?: ((line: string) => void) | undefined }): AccessLog {
  const { folder, log, explain } = options;
  const file = createLogFile(join(folder, accessFile));
  const kept = new Set<string>();
  const explained = new Set<string>();
  return {
    begin: (policies) => writeFile(join(folder, policiesFile), JSON.stringify(keptPolicies(policies))),
    note: (judged) => {
      const { who, action, resource, context, verdict } = judged;
      const line: AccessLine = { who, action, resource, context, isAllowed: verdict.isAllowed, by: verdict.by?.name };
      const question = `${who} ${action} ${resource} ${line.by} ${JSON.stringify(context)}`;
      if (kept.has(question) || kept.size >= maxKept) return;
      kept.add(question);
      file.write(line);
      const reason = reasonOf(line);
      if (!verdict.isAllowed) log({ message: "access refused", who, action, resource, reason });
      const told = `${who} ${action} ${reason}`;
      if (explain && who !== administrator.role && !explained.has(told)) {
        explained.add(told);
        explain(`${who}: ${action} on ${resource}: ${reason}`);
      }
    },
    close: () => file.close(),
  };
}

function reasonOf({ isAllowed, by }: AccessLine): string {
  if (by === undefined) return "refused, because no statement allows it";
  return `${isAllowed ? "allowed" : "denied"} by ${by}`;
}

const keptPolicies = ({ identity, resource, roles }: PolicyFacts): KeptPolicies => ({
  identity: Object.fromEntries(identity),
  resource: Object.fromEntries(resource),
  trust: Object.fromEntries([...roles].map(([name, { trust }]) => [name, trust])),
});
