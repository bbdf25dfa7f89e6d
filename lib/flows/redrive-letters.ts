import pMap from "p-map";
import { maxJobBytes } from "../../events/job.ts";
import { jsonOf } from "../../events/json.ts";
import { type LetterSubject, letterSubject } from "../../events/letters/letter-subject.ts";
import { FleetError } from "../model/fleet-error.ts";
import type { DeadLetter, DeadQueue, TakenLetter } from "../model/letters/dead-letter.ts";
import type { Log } from "../ports/log.ts";
import type { Ports } from "../ports/ports.ts";

export type LetterDeps = Pick<Ports, "deadLetters"> & { readonly now: () => number; readonly log: Log };

/** A queue's letters. `count` is approximate. `letters` are some of them, the oldest first. */
export type LettersOfQueue = {
  readonly queue: DeadQueue;
  readonly count: number;
  readonly letters: readonly (DeadLetter & { readonly subject?: LetterSubject | undefined })[];
};

/** Looking at a queue takes up to a second, because SQS is asked to search all of it. */
const concurrency = 8;

/** Returns how many letters each queue has, and what some of them are about. */
export const listLetters = ({ deadLetters }: LetterDeps, queues: readonly DeadQueue[]): Promise<readonly LettersOfQueue[]> =>
  pMap(
    queues,
    async (queue) => {
      const count = (await deadLetters.count(queue)) ?? 0;
      const seen = count === 0 ? [] : await deadLetters.look(queue);
      const letters = seen.toSorted((a, b) => a.sentAtMs - b.sentAtMs || (a.id < b.id ? -1 : 1));
      return { queue, count, letters: letters.map((letter) => ({ ...letter, subject: letterSubject(letter, queue.team) })) };
    },
    { concurrency },
  );

/**
 * What happened to a letter. `done`: it was sent back or deleted as requested. `repeated`: it was sent back but could not be deleted, so it
 * will be there again. `failed`: nothing was done.
 */
export type LetterOutcome = { readonly letter: string; readonly subject?: LetterSubject | undefined } & (
  | { readonly kind: "done" }
  | { readonly kind: "repeated" | "failed"; readonly error: unknown }
);

/** `more`: the call reached its limits before it had seen every letter that can be taken now. */
export type WorkedOff = { readonly outcomes: readonly LetterOutcome[]; readonly more: boolean };

/** The most letters that one call sends back or deletes, and the time after which it takes no more. A caller repeats the call for the others. */
export const maxLetters = 100;
const longestMs = 10_000;

/**
 * Sends letters back to the queue that they were meant for. Each is sent before it is deleted, so that none is lost if this function crashes in
 * between. One that is sent twice is harmless, because every reader of these queues handles a message twice as it does once.
 */
export const redriveLetters = (deps: LetterDeps, queue: DeadQueue): Promise<WorkedOff> =>
  workOff(deps, queue, async (letter) => deps.deadLetters.send(queue, bodyToSend(letter, queue)));

/** Deletes letters. */
export const deleteLetters = (deps: LetterDeps, queue: DeadQueue): Promise<WorkedOff> => workOff(deps, queue, async () => undefined);

async function workOff(deps: LetterDeps, queue: DeadQueue, before: (letter: TakenLetter) => Promise<void>): Promise<WorkedOff> {
  const untilMs = deps.now() + longestMs;
  const outcomes: LetterOutcome[] = [];
  while (outcomes.length < maxLetters && deps.now() < untilMs) {
    const taken = await deps.deadLetters.take(queue, maxLetters - outcomes.length);
    if (taken.length === 0) return { outcomes, more: false };
    outcomes.push(...(await Promise.all(taken.map((letter) => handle(deps, { queue, letter, before })))));
    // Those that were taken are hidden for a minute, so a queue that refuses messages must not be taken from any further.
    if (outcomes.some(({ kind }) => kind !== "done")) return { outcomes, more: false };
  }
  return { outcomes, more: true };
}

type Task = { readonly queue: DeadQueue; readonly letter: TakenLetter; readonly before: (letter: TakenLetter) => Promise<void> };

async function handle({ deadLetters, log }: LetterDeps, { queue, letter, before }: Task): Promise<LetterOutcome> {
  const of = { letter: letter.id, subject: letterSubject(letter, queue.team) };
  const notDone = (kind: "repeated" | "failed", error: unknown): LetterOutcome => {
    log({ level: "error", message: "dead letter not handled", queue: queue.name, letter: letter.id, kind, error });
    return { ...of, kind, error };
  };
  try {
    await before(letter);
  } catch (error) {
    return notDone("failed", error);
  }
  try {
    await deadLetters.delete(queue, letter);
    return { ...of, kind: "done" };
  } catch (error) {
    return notDone(queue.remedy === "redrive" ? "repeated" : "failed", error);
  }
}

/**
 * Returns the message to send. A job without an id has the id of its message as its name, and the new message gets another one. The name is
 * therefore put into the message, so that a job that was admitted before is known and does not run twice.
 */
function bodyToSend({ id, body }: DeadLetter, { team }: DeadQueue): string {
  const job = team === undefined ? undefined : jsonOf(body);
  if (typeof job !== "object" || job === null || Array.isArray(job) || Object.hasOwn(job, "id")) return body;
  const named = JSON.stringify({ ...job, id });
  // Without its name, a job that was admitted all the same would run twice.
  if (Buffer.byteLength(named) > maxJobBytes)
    throw new FleetError("too-large", "the job has no id, and the message would be too large with one; submit it again, with an id");
  return named;
}
