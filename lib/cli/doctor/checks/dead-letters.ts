import type { DeadQueueView } from "../../../api/views/letters.ts";
import { commandLine } from "../../invocation/invocation.ts";
import { aWarning, type Finding } from "../findings/finding.ts";

/** Checks that no message waits among the dead letters. */
export const deadLetterFindings = (
  queues: readonly Pick<DeadQueueView, "queue" | "deadQueue" | "count" | "remedy">[],
): readonly Finding[] =>
  queues
    .filter(({ count }) => count > 0)
    .map(({ queue, deadQueue, count, remedy }) =>
      aWarning(
        "dead-letters.waiting",
        `${count} ${count === 1 ? "message waits" : "messages wait"} in ${deadQueue}, because ${queue} could not be handled`,
        `find the cause with ${commandLine("problems")}, then ${commandLine("redrive", queue, ...(remedy === "delete" ? ["--delete"] : []))}`,
      ),
    );
