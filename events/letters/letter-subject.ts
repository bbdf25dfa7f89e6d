import * as z from "zod";
import { segmentToSeal } from "../artifacts/log-segment.ts";
import { attemptToSeal } from "../artifacts/upload.ts";
import { shardsMessage } from "../dataset.ts";
import { jsonOf } from "../json.ts";
import { JobId } from "../names.ts";

/** The kinds of things that a dead letter may be about. */
export const subjectKinds = ["job", "attempt", "log", "dataset", "object", "pool", "instance", "alarm"] as const;

/** What a dead letter is about. `name` is for people, for example `vision/train-1`. */
export type LetterSubject = { readonly kind: (typeof subjectKinds)[number]; readonly name: string };

/** The longest name that is shown. Keys of objects may be longer. */
const longestName = 200;

const Named = z.looseObject({ id: JobId });
const Rang = z.looseObject({ pool: z.string().min(1) });
const OfInstance = z.looseObject({ detail: z.looseObject({ "instance-id": z.string().min(1) }) });
const OfAlarm = z.looseObject({ detail: z.looseObject({ alarmName: z.string().min(1) }) });

/**
 * Returns what a message is about, or undefined if it names nothing known. It returns only names: a job's variables and command, which
 * may contain secrets, never leave this function. `team` is the team on whose queue the message was, if it was a team's.
 */
export function letterSubject(
  message: { readonly id: string; readonly body: string },
  team: string | undefined,
): LetterSubject | undefined {
  const body = jsonOf(message.body);
  const found = team === undefined ? subjectOf(body) : ofJob(body, { team, id: message.id });
  if (found === undefined || found.name.length <= longestName) return found;
  return { ...found, name: `${found.name.slice(0, longestName - 1)}…` };
}

/** A job without an id, or with a wrong one, is called by the id of its message. */
const ofJob = (body: unknown, { team, id }: { readonly team: string; readonly id: string }): LetterSubject => {
  const named = Named.safeParse(body);
  return { kind: "job", name: `${team}/${named.success ? named.data.id : id}` };
};

function subjectOf(body: unknown): LetterSubject | undefined {
  return ofUpload(body) ?? ofDataset(body) ?? ofEvent(body);
}

function ofUpload(body: unknown): LetterSubject | undefined {
  const segment = segmentToSeal(body);
  if (segment) return { kind: "log", name: `${segment.team}/${segment.job}, attempt ${segment.attempt}, part ${segment.number}` };
  const attempt = attemptToSeal(body);
  return attempt && { kind: "attempt", name: `${attempt.team}/${attempt.job}, attempt ${attempt.attempt}` };
}

function ofDataset(body: unknown): LetterSubject | undefined {
  const message = shardsMessage(body);
  if (message.kind === "rebalance") return { kind: "dataset", name: `${message.team}/${message.dataset}` };
  return message.kind === "object" ? { kind: "object", name: message.key } : undefined;
}

function ofEvent(body: unknown): LetterSubject | undefined {
  const pool = Rang.safeParse(body);
  if (pool.success) return { kind: "pool", name: pool.data.pool };
  const instance = OfInstance.safeParse(body);
  if (instance.success) return { kind: "instance", name: instance.data.detail["instance-id"] };
  const alarm = OfAlarm.safeParse(body);
  return alarm.success ? { kind: "alarm", name: alarm.data.detail.alarmName } : undefined;
}
