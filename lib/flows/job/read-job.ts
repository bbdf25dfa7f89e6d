import * as z from "zod";
import { checked, lineOf } from "../../../events/checked.ts";
import { JobMessage, maxJobBytes } from "../../../events/job.ts";
import { unquoted, withoutBom } from "../../../events/json.ts";
import { JobId } from "../../../events/names.ts";
import { inWords } from "../../model/errors/in-words.ts";
import type { JobSpec } from "../../model/job.ts";

/** `body`: what is hashed: the spec, as for an accepted job, or the message's text if it cannot be read. */
export type Unfit = {
  readonly kind: "unfit";
  readonly reason: string;
  readonly id?: string | undefined;
  readonly body: JobSpec | string;
};

export type Read = { readonly kind: "read"; readonly message: JobMessage } | Unfit;

/** Parses a text as a job message, or returns why it is not one. */
export function readJob(text: string): Read {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxJobBytes) return { kind: "unfit", reason: tooLong(bytes), body: text };
  let value: unknown;
  try {
    value = JSON.parse(withoutBom(text));
  } catch (error) {
    return { kind: "unfit", reason: `the message is not JSON: ${unquoted(inWords(error))}`, body: text };
  }
  return readValue(value, text);
}

/** Does the same for a message that is one of several in a text. */
export function readJobValue(value: unknown): Read {
  const text = textOf(value);
  if (text === undefined) return { kind: "unfit", reason: "the message is nested too deeply", body: "" };
  const bytes = Buffer.byteLength(text);
  return bytes > maxJobBytes ? { kind: "unfit", reason: tooLong(bytes), body: text } : readValue(value, text);
}

/** Returns undefined for a value that is nested too deeply to serialize. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return undefined;
  }
}

function readValue(value: unknown, text: string): Read {
  const message = checked(JobMessage, value);
  if (message.kind === "good") return { kind: "read", message: message.value };
  const id = z.object({ id: JobId }).safeParse(value);
  // The body is the text, because an unchecked value may be nested too deeply to hash.
  const reason = inShort(message.wrong.map((wrong) => lineOf(wrong)));
  return { kind: "unfit", reason, id: id.success ? id.data.id : undefined, body: text };
}

const tooLong = (bytes: number): string =>
  `the message has ${bytes} bytes and ${maxJobBytes} are allowed; put data on S3 and name it in "code" or "env"`;

const inShort = (reasons: readonly string[]): string =>
  reasons.length <= 10 ? reasons.join("; ") : `${reasons.slice(0, 10).join("; ")}; and ${reasons.length - 10} more`;
