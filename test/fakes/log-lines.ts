import type { WorkerLog, WorkerLogFields } from "../../lib/worker/runtime/log.ts";

/** A line as a program logged it: its name, and what varies. */
export type Logged = { readonly message: string; readonly [field: string]: unknown };

/**
 * The fields of each line, in addition to its level and name. A field with a question mark may be missing. If two programs have lines of one
 * name, their fields are separated by a bar.
 */
const fields: Readonly<Record<string, string>> = {
  // Decisions.
  decided: "pool epoch decision causes steps outcomes packing?",
  "decision not recorded": "decision error",
  "gang placed": "pool epoch team job attempt nodes",
  "instance never became a worker": "pool node instanceType zone",
  "job moved": "pool epoch team job attempt to",
  "job set aside": "pool epoch step team job error",
  "launch not repeated": "pool epoch launch error",
  "launch repeated": "pool epoch launch came note error",
  "launch requested": "pool epoch launch came note error",
  "launch searched for": "pool launch came note error",
  "packing experience not stored": "pool epoch error",
  "pool of a moved job not woken": "pool epoch error",
  "failures not noted": "pool epoch error",
  "step failed": "pool epoch step note error",
  // Other flows, and the API.
  "attempt passed over": "pool node attempt error",
  "call failed": "requestId error",
  called: "requestId caller method route status ms",
  "dead letter not handled": "queue letter kind error",
  "node declared dead": "pool node by because",
  "dead letters not counted": "team error",
  "failed seal not noted": "team job attempt error",
  "ending instances": "instances",
  "order has no outbox": "pool node attempt error",
  "job not cancelled": "team job error",
  // The worker.
  "GPU sampling failed": "because error?",
  "GPUs not sampled": "because",
  "attempt changed state": "attempt from to because",
  "attempt failed": "attempt error",
  "attempt folder not removed": "attempt error",
  "attempt starting": "attempt gpus",
  "cgroup not ended": "attempt error",
  "container not removed": "attempt because error?",
  "job command not started": "attempt error",
  "jobs run without memory and CPU limits": "error",
  "last node call failed": "error",
  "leftover containers not listed": "because error?",
  "leftover containers not removed": "because error?",
  "leftover containers removed": "containers",
  "leftover processes do not end": "processes",
  "live log lines lost": "attempt lines",
  "log bytes lost": "attempt bytes because",
  "log segment lost": "attempt number bytes because",
  "log segment not uploaded yet": "attempt number error",
  "metadata service unreachable": "error",
  "node call failed": "error",
  "end of attempt not kept": "attempt error",
  "island time not kept": "error",
  "outbox left": "attempt",
  "outbox too large": "attempt",
  "outbox not left": "attempt error",
  "worker stopping": "kind because",
  // The local cloud.
  "CloudWatch call not read": "error",
  "EC2 call failed": "action error",
  "Synthesizing the stack …": "",
  "alarm changed state": "alarm state reason",
  "alarm event not put on the bus": "alarm error",
  "batch not handled": "error",
  "access refused": "who action resource reason",
  "call malformed": "who service problem",
  "credentials not registered": "role error",
  "endpoint call failed": "method path error",
  "function URL call failed": "function requestId",
  "instance changed state": "instance state because?",
  "instance event not put on the bus": "instance event attempt error",
  "instance failed": "instance error",
  "instance processes not ended": "instance error",
  "instance runs nothing": "instance because",
  "instances not launched": "offer error",
  "part not closed": "error",
  "queue metrics not read": "queue error",
  "queue not read": "error | pool epoch steps error",
  "schedule failed": "schedule error",
  "watchdog ended": "end? error?",
  "worker crashed and will be restarted": "instance end",
  "worker not started": "instance error",
};

/** Returns what is wrong with a line; undefined if it has exactly the fields of its kind. */
export function wrongIn({ level: _, message, ...line }: Logged): string | undefined {
  const known = fields[message];
  if (known === undefined) return `the line "${message}" is not in test/fakes/log-lines.ts`;
  const differences = known.split("|").map((each) => differenceOf(line, each.split(" ").filter(Boolean)));
  return differences.includes(undefined) ? undefined : `the line "${message}" ${differences.join(", or ")}`;
}

function differenceOf(line: object, all: readonly string[]): string | undefined {
  const missing = all.filter((field) => !field.endsWith("?") && !(field in line));
  const strange = Object.keys(line).filter((field) => !all.includes(field) && !all.includes(`${field}?`));
  if (missing.length + strange.length === 0) return undefined;
  return `lacks [${missing.join(", ")}] and has [${strange.join(", ")}] too much`;
}

const wrong: string[] = [];

/** Notes a line of any program that a test runs. After each test, its lines must have been as the table above says. */
export function expectLine(line: Logged): void {
  const found = wrongIn(line);
  if (found !== undefined) wrong.push(found);
}

/** Returns what was wrong since the last call. */
export const takeWrongLines = (): readonly string[] => wrong.splice(0);

/** Returns a worker's log that puts the names of its lines into a list, and what `shown` returns for their fields. */
export const workerLogInto =
  (names: string[], shown: (fields: WorkerLogFields) => string = () => ""): WorkerLog =>
  (_level, message, more = {}, error = undefined) => {
    expectLine({ ...more, message, ...(error === undefined ? {} : { error }) });
    names.push(`${message}${shown(more)}`);
  };
