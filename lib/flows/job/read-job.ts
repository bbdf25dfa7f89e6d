import * as z from "zod";
import { checked, lineOf } from "../../../events/checked.ts";
import { JobId, JobMessage, maxJobBytes } from "../../../events/job.ts";
import { withoutBom } from "../../../events/json.ts";
import { inWords } from "../../model/errors/in-words.ts";
import type { JobSpec } from "../../model/job.ts";

/** `body`: what its hash is taken of: the spec, as for a job that is accepted, or the message's text if it cannot be read. */
export type Unfit = {
  readonly kind: "unfit";
  readonly because: string;
  readonly id?: string | undefined;
  readonly body: JobSpec | string;
};

export type Read = { readonly kind: "read"; readonly message: JobMessage } | Unfit;

/** A text as a job message, or why it is none. */
export function readJob(text: string): Read {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxJobBytes) return { kind: "unfit", because: tooLong(bytes), body: text };
  let value: unknown;
  try {
    value = JSON.parse(withoutBom(text));
  } catch (error) {
    return { kind: "unfit", because: `the message is not JSON: ${inWords(error)}`, body: text };
  }
  return readValue(value, text);
}

/** The same of a message that is one of several in a text. */
export function readJobValue(value: unknown): Read {
  const text = textOf(value);
  if (text === undefined) return { kind: "unfit", because: "the message is nested too deeply", body: "" };
  const bytes = Buffer.byteLength(text);
  return bytes > maxJobBytes ? { kind: "unfit", because: tooLong(bytes), body: text } : readValue(value, text);
}

/** Undefined for a value whose depth is more than a walk through it can go. */
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
  // The body as it came: a value that nobody has checked may be nested deeper than a walk through it can go.
  const because = inShort(message.wrong.map((wrong) => lineOf(wrong)));
  return { kind: "unfit", because, id: id.success ? id.data.id : undefined, body: text };
}

const tooLong = (bytes: number): string =>
  `the message has ${bytes} bytes and ${maxJobBytes} are allowed; put data on S3 and name it in "code" or "env"`;

const inShort = (reasons: readonly string[]): string =>
  reasons.length <= 10 ? reasons.join("; ") : `${reasons.slice(0, 10).join("; ")}; and ${reasons.length - 10} more`;
