import { FleetError } from "../../../model/fleet-error.ts";
import { type Refusal, type Subject, subjectName } from "../../../model/refusal.ts";
import type { CapacityMemory } from "../../../ports/capacity.ts";
import { getItem, type TableAccess } from "../access.ts";
import { is, isAbsent } from "../expression.ts";
import { refusalItem, refusalOf, revisionOf } from "../items/refusal-item.ts";
import { refusalKey } from "../keys.ts";
import { transact } from "../transaction.ts";

type Next = (known: Refusal | undefined) => Refusal | undefined;

/** Tries per change. In each failed one, another writer has succeeded. */
const maxTries = 20;

export const createCapacityMemory = (access: TableAccess): CapacityMemory => ({
  async change(subject, next) {
    for (let tries = 0; tries < maxTries; tries += 1) {
      const written = await tryChange(access, subject, next);
      if (written !== "met another") return written === "written";
    }
    throw new FleetError("memory-busy", `${subjectName(subject)} had too many concurrent writes`, { retry: true });
  },
});

/** Tries one change. A write whose response was lost looks like another writer's, so `next` may receive its own result. */
async function tryChange(access: TableAccess, subject: Subject, next: Next): Promise<"written" | "as it was" | "met another"> {
  const key = refusalKey(subject);
  const item = await getItem(access, key);
  const known = item && refusalOf(item);
  const wanted = next(known);
  if (wanted === known) return "as it was";
  const revision = item ? revisionOf(item) : 0;
  const when = [item ? is("revision", revision) : isAbsent("pk")];
  const part = wanted
    ? // A field that only the next release knows stays.
      ({ kind: "put", item: { ...item, ...refusalItem(wanted, revision + 1) }, when } as const)
    : ({ kind: "delete", key, when } as const);
  return (await transact(access, [part])) === "done" ? "written" : "met another";
}
