import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type * as z from "zod";
import { JobMessage, maxJobBytes } from "../../events/job.ts";
import { askedFrom, asMeant } from "./asked-from.ts";
import { UsageError } from "./exit.ts";

/** A job as somebody wrote it, and what it says. */
export type JobFile = { readonly body: string; readonly message: JobMessage };

/** Reads a job from a file, or from standard input for `-`; throws a UsageError that says what is wrong with it. */
export async function readJobFile(file: string, note: (line: string) => void): Promise<JobFile> {
  const name = file === "-" ? "standard input" : file;
  if (file === "-" && process.stdin.isTTY) note("type a job, then Ctrl-D on a line of its own");
  return parseJob(name, file === "-" ? await text(process.stdin) : await textOf(file));
}

/** What a text says, as a job; throws a UsageError that says why it is none. */
export function parseJob(name: string, body: string): JobFile {
  const bytes = Buffer.byteLength(body);
  if (bytes > maxJobBytes)
    throw new UsageError(
      `${name} has ${bytes} bytes and ${maxJobBytes} are allowed; put data on S3 and name it in "datasets", "code" or "env"`,
    );
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    const why = body.trim() === "" ? "it is empty" : error instanceof Error ? error.message : String(error);
    throw new UsageError(`${name} is not JSON: ${why}`);
  }
  const parsed = JobMessage.safeParse(value);
  if (parsed.success) return { body, message: parsed.data };
  throw new UsageError(
    `${name} is not a job:\n${parsed.error.issues.map(line).join("\n")}\n  (events/job.schema.json has every field; the smallest job is {"command":["python","train.py"]})`,
  );
}

const line = (issue: z.core.$ZodIssue): string => `  ${issue.path.join(".") || "the message"}: ${issue.message}`;

const textOf = (file: string): Promise<string> =>
  readFile(asMeant(file), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") throw new UsageError(`there is no file ${file} in ${askedFrom(process.env, process.cwd())}`);
    if (error.code === "EISDIR") throw new UsageError(`${file} is a folder; a job is a file`);
    throw new UsageError(error.message);
  });
