import { createReadStream } from "node:fs";
import { checked, linesOf } from "../../../events/checked.ts";
import { JobMessage, maxJobBytes } from "../../../events/job.ts";
import { canonicalJson, withoutBom } from "../../../events/json.ts";
import { inWords } from "../../model/errors/in-words.ts";
import { decoded } from "../../model/files/decoded.ts";
import { asMeant } from "../invocation/caller-folder.ts";
import { UsageError } from "../invocation/exit.ts";
import { fileTrouble } from "../invocation/file-trouble.ts";

/** A job as the user wrote it, and its parsed message. `at` says where it was found, for error messages. */
export type JobFile = { readonly body: string; readonly message: JobMessage; readonly at: string };

/** Limits of one file, because all of it is read into memory before anything is sent. */
const maxBytes = 64 * 1024 * 1024;
const maxJobs = 100_000;
/** The most invalid jobs that an error names. A few are enough even if there are a thousand. */
const maxNamed = 10;

/**
 * Reads the jobs of a file, or of standard input for `-`: a JSON object, a JSON array, or JSON Lines with one job per line. Throws a
 * UsageError that says which jobs are invalid and why.
 */
export async function readJobFile(file: string, note: (line: string) => void): Promise<readonly JobFile[]> {
  const name = file === "-" ? "standard input" : file;
  if (file === "-" && process.stdin.isTTY) note("type a job, then Ctrl-D on a line of its own");
  return parseJobs(name, file === "-" ? await textOf(name, process.stdin) : await textOf(name, createReadStream(asMeant(file))));
}

/** Parses a text into jobs. Throws a UsageError if it is not a list of valid jobs. */
export function parseJobs(name: string, given: string): readonly JobFile[] {
  const text = withoutBom(given);
  if (/^\s*\[/.test(text)) return parseList(name, text);
  const lines = text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [{ at: `line ${index + 1}`, text: line.trim() }]));
  const isLines = lines.length > 1 && !isJson(text) && isJson(lines[0]?.text ?? "");
  return isLines ? parseAll(name, lines) : [parseJob(name, text)];
}

function parseList(name: string, text: string): readonly JobFile[] {
  const values = jsonValueOf(name, text);
  if (!Array.isArray(values) || values.length === 0) throw new UsageError(`${name} is an empty list: it contains no job`);
  return parseAll(
    name,
    values.map((value: unknown, index) => ({ at: `item ${index + 1}`, text: JSON.stringify(value) })),
  );
}

function parseAll(name: string, each: readonly { readonly at: string; readonly text: string }[]): readonly JobFile[] {
  if (each.length > maxJobs) throw new UsageError(`${name} has ${each.length} jobs, and at most ${maxJobs} are allowed; split it`);
  const wrong: string[] = [];
  const jobs = each.flatMap(({ at, text }) => {
    try {
      return [parseJob(`${name}, ${at}`, text, "")];
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      wrong.push(inWords(error));
      return [];
    }
  });
  if (wrong.length === 0) return jobs;
  const more = wrong.length > maxNamed ? [`and ${wrong.length - maxNamed} more`] : [];
  throw new UsageError(
    [`${wrong.length} of the ${each.length} jobs are invalid; nothing was sent`, ...wrong.slice(0, maxNamed), ...more].join("\n  "),
  );
}

const schemaHint = '\n  (events/job.schema.json has every field; the smallest job is {"command":["python","train.py"]})';

/** Parses a text into one job. Throws a UsageError if it is not valid. */
export function parseJob(name: string, given: string, hint = schemaHint): JobFile {
  const body = withoutBom(given);
  const bytes = Buffer.byteLength(body);
  if (bytes > maxJobBytes)
    throw new UsageError(
      `${name} has ${bytes} bytes, and at most ${maxJobBytes} are allowed; put data on S3 and name it in "datasets", "code" or "env"`,
    );
  const message = checked(JobMessage, jsonValueOf(name, body));
  if (message.kind === "good") return { body, message: message.value, at: name };
  throw new UsageError(`${name} is not a job:${linesOf(message.wrong, "the message")}${hint}`);
}

function jsonValueOf(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${name} is not JSON: ${text.trim() === "" ? "it is empty" : inWords(error)}`, { cause: error });
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function textOf(name: string, stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(Buffer.from(chunk));
      bytes += chunk.length;
      if (bytes > maxBytes) throw new UsageError(`${name} has more than ${maxBytes} bytes; split it`);
    }
  } catch (error) {
    throw fileTrouble(error, name, "a job file is expected");
  }
  return decoded(Buffer.concat(chunks));
}

/**
 * Throws a UsageError if two different jobs have the same id, because the second would be rejected once the first is accepted. Two
 * equal messages are the same job. The deployment checks whether an id already names another job: see check-jobs.ts.
 */
export function refuseTwice(files: readonly JobFile[]): void {
  const first = new Map<string, JobFile>();
  for (const file of files) {
    const { id } = file.message;
    if (id === undefined) continue;
    const before = first.get(id);
    if (before === undefined) first.set(id, file);
    else if (canonicalJson(before.message) !== canonicalJson(file.message))
      throw new UsageError(`${file.at}: the id ${id} already names another job, in ${before.at}; nothing was sent`);
  }
}
