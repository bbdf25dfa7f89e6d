import * as z from "zod";
import { type LetterSubject, subjectKinds } from "../../../events/letters/letter-subject.ts";
import { TeamName } from "../../../events/names.ts";
import type { LetterOutcome, LettersOfQueue, WorkedOff } from "../../flows/redrive-letters.ts";
import { inWords } from "../../model/errors/in-words.ts";
import { type DeadQueue, remedies } from "../../model/letters/dead-letter.ts";
import { Count, Time } from "./fields.ts";
import { iso } from "./times.ts";

export const QueueName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, "must be the name of a queue, such as jobs-TEAM, seal or lane");

const Subject = z
  .object({ kind: z.enum(subjectKinds), name: z.string() })
  .describe("What the message is about; omitted if it names nothing known");

const LetterView = z.object({
  letter: z.string().describe("The id of the message"),
  subject: Subject.optional(),
  sentAt: Time.describe("When the message was sent first; for the lane, when it became a dead letter"),
  received: Count.describe("How often a reader received it: each try, and each look at the dead letter"),
  error: z
    .string()
    .optional()
    .describe("The error that EventBridge or Lambda noted; omitted for a message of a queue, for which none is noted"),
});

export const DeadQueueView = z
  .object({
    queue: QueueName.describe("The queue or function for which the messages were meant"),
    deadQueue: z.string().describe("The name of its dead-letter queue"),
    function: z.string().describe("The name of the function that failed; its log says why"),
    team: TeamName.optional(),
    count: Count.describe("About how many letters there are"),
    remedy: z.enum(remedies).describe("redrive: send them back; delete: they are outdated"),
    because: z.string().describe("Why this is the remedy"),
    letters: z.array(LetterView).max(10).describe("Some of the letters, the oldest first"),
  })
  .meta({ id: "DeadQueue" });
export type DeadQueueView = z.infer<typeof DeadQueueView>;

export const DeadQueueList = z.object({ items: z.array(DeadQueueView) }).meta({ id: "DeadQueueList" });
export type DeadQueueList = z.infer<typeof DeadQueueList>;

const LetterFailure = z.object({
  letter: z.string(),
  subject: Subject.optional(),
  outcome: z
    .enum(["repeated", "failed"])
    .describe("repeated: it was sent back, but could not be deleted and will be there again; failed: it is still there"),
  because: z.string(),
});

export const HandledLetters = z
  .object({
    queue: QueueName,
    done: Count.describe("How many letters were sent back, or deleted"),
    failures: z.array(LetterFailure).describe("The letters for which that failed"),
    more: z.boolean().describe("Whether to repeat the call, because there may be letters that it has not reached"),
  })
  .meta({ id: "HandledLetters" });
export type HandledLetters = z.infer<typeof HandledLetters>;

const subjectIn = (subject: LetterSubject | undefined) => (subject === undefined ? {} : { subject });

export const deadQueueView = ({ queue, count, letters }: LettersOfQueue, fleet: string): DeadQueueView => ({
  queue: queue.name,
  deadQueue: `${fleet}-dead-${queue.name}${queue.fifo ? ".fifo" : ""}`,
  function: `${fleet}-${queue.reader}`,
  ...(queue.team !== undefined && { team: queue.team }),
  count: Math.max(count, letters.length),
  remedy: queue.remedy,
  because: queue.because,
  letters: letters.map(({ id, subject, sentAtMs, received, error }) => ({
    letter: id,
    ...subjectIn(subject),
    sentAt: iso(sentAtMs),
    received,
    ...(error !== undefined && { error }),
  })),
});

export const handledLetters = ({ name }: DeadQueue, { outcomes, more }: WorkedOff): HandledLetters => ({
  queue: name,
  done: outcomes.filter(({ kind }) => kind === "done").length,
  failures: outcomes.flatMap((outcome) => failureIn(outcome)),
  more,
});

const failureIn = (outcome: LetterOutcome): HandledLetters["failures"] =>
  outcome.kind === "done"
    ? []
    : [{ letter: outcome.letter, ...subjectIn(outcome.subject), outcome: outcome.kind, because: inWords(outcome.error) }];
