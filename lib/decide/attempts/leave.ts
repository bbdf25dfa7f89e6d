import type { Assignment, Node } from "../../model/node.ts";

/**
 * Why an attempt must leave its node now; undefined when it may go on. After an interruption all that runs stops, so that it
 * starts elsewhere before the two minutes are over. After a recommendation only what has not begun does. What only uploads
 * goes on in both: two minutes may do, and if they do not, the end of the instance gives the job back.
 */
export function whyLeave({ notice }: Pick<Node, "notice">, phase: Assignment["phase"]): string | undefined {
  if (!notice || phase === "uploading") return undefined;
  if (notice.kind === "interruption") return "EC2 takes the instance back (spot interruption)";
  return phase === "placed" ? "EC2 may soon take the instance back (rebalance recommendation)" : undefined;
}
