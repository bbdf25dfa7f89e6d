import { attemptName, type OutboxRef } from "../../../model/job.ts";
import type { WorldView } from "../../world/seen.ts";
import type { Invariant, InvariantBreach } from "../invariant.ts";

/** 26: what an attempt had done when its node left its outbox counts, and is not done again. */
export const outboxes: Invariant = {
  number: 26,
  name: "outboxes count",
  says: "Once an outbox is taken in, the end that it reports is recorded. A job whose run had ended well does not run again.",
  watch: (seen) => {
    const left = new Map<string, boolean>();
    const done = new Map<string, string>();
    return {
      on: (fact) => {
        if (fact.kind === "left") left.set(attemptName(fact.outbox), fact.isGood);
        if (fact.kind === "taken") {
          if (fact.how === "taken" && left.get(attemptName(fact.outbox)) && sealing(fact.outbox, seen())) {
            const { team, job } = fact.outbox;
            done.set(`${team}/${job}`, attemptName(fact.outbox));
          }
          return unrecorded(fact.outbox, fact.how, seen());
        }
        const before = fact.kind === "began" ? done.get(`${fact.team}/${fact.job}`) : undefined;
        return fact.kind === "began" && before !== undefined
          ? `${attemptName(fact)} begins, but ${before} had ended well, and its outbox was taken in`
          : undefined;
      },
    };
  },
};

const sealing = ({ team, job, attempt }: OutboxRef, { table }: WorldView): boolean => {
  const record = table.jobs.get(`${team}/${job}`);
  return record?.attempt === attempt && (record.state === "sealing" || record.state === "succeeded");
};

/** The node must not hold an attempt any more whose outbox was handled to the end. */
function unrecorded(outbox: OutboxRef, how: string, { table }: WorldView): InvariantBreach {
  const holder = [...table.nodes.values()].find(({ node }) => node.id === outbox.node);
  const isHeld = holder?.node.assignments.some((each) => attemptName(each) === attemptName(outbox)) ?? false;
  return isHeld ? `the outbox of ${attemptName(outbox)} on ${outbox.node} was handled (${how}), but its end is not recorded` : undefined;
}
