import type { Assignment, Node } from "../../model/node.ts";

/**
 * Why an attempt must leave its node now; undefined when it may go on. After an interruption all that runs stops, so that it
 * starts elsewhere before the two minutes are over. After a recommendation, or when the node is drained, only what has not
 * begun does, and the rest of a drained node when its time is up. What only uploads goes on: it may be done in time, and if
 * it is not, the end of the instance gives the job back.
 */
export function whyLeave({ notice, drain }: Pick<Node, "notice" | "drain">, phase: Assignment["phase"], nowMs: number): string | undefined {
  if (phase === "uploading") return undefined;
  if (notice?.kind === "interruption") return "EC2 takes the instance back (spot interruption)";
  const begun = phase !== "placed";
  if (notice && !begun) return "EC2 may soon take the instance back (rebalance recommendation)";
  return drain && (!begun || nowMs >= drain.untilMs) ? `its node is drained: ${drain.because}` : undefined;
}
