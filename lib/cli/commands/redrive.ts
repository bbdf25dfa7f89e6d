import type { DeadQueueView, HandledLetters } from "../../api/views/letters.ts";
import { exitCodes, UsageError } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import type { Context } from "../session/context.ts";
import { count } from "../terminal/amount.ts";
import { withProgress } from "../terminal/progress.ts";
import { tableLines } from "../terminal/table.ts";
import { deadQueueColumns } from "../views/letter-view.ts";
import type { Confirm } from "./jobs/cancel-many.ts";

export type RedriveOptions = {
  /** Deletes outdated letters instead of sending letters back. */
  readonly delete?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
};

/** The most letters of one call of the API, and the most failures of a queue that are named. */
const atOnce = 100;
const maxNamed = 10;

/**
 * Sends dead letters back to their queues, or deletes those that are outdated: of one queue, or of all to which that
 * applies. A repeated run continues with the letters that are left.
 */
export async function redrive(
  name: string | undefined,
  options: RedriveOptions,
  on: Context & { readonly confirm?: Confirm | undefined },
): Promise<number> {
  const queues = selected(name, options, (await on.connection.api.deadLetters()).items);
  if (options.dryRun || queues.length === 0) return showOnly(queues, options, on);
  if (options.delete && !(await isConfirmed(queues, options, on.confirm))) {
    on.console.note("nothing was deleted");
    return exitCodes.failed;
  }
  const done: Handled[] = [];
  for (const queue of queues) done.push(await workOff(queue, options, on));
  return report(done, options, on.console);
}

/** Returns the queues with letters to handle. */
function selected(name: string | undefined, options: RedriveOptions, all: readonly DeadQueueView[]): readonly DeadQueueView[] {
  const remedy = options.delete ? "delete" : "redrive";
  const named = name === undefined ? undefined : queueNamed(name, all);
  if (named !== undefined && named.remedy !== remedy) throw new UsageError(whyNot(named));
  return (named ? [named] : all).filter((queue) => queue.remedy === remedy && queue.count > 0);
}

/** Shows what would be done, if anything. */
function showOnly(queues: readonly DeadQueueView[], options: RedriveOptions, { console, nowMs }: Context): number {
  const empty = `there are no letters to ${options.delete ? "delete" : "send back"}`;
  if (!options.json) for (const line of tableLines(queues, deadQueueColumns(nowMs), { empty, width: console.width })) console.out(line);
  else if (options.dryRun) console.out(JSON.stringify({ [options.delete ? "wouldDelete" : "wouldSendBack"]: queues }));
  else console.out(JSON.stringify({ queues: [] }));
  if (options.dryRun) console.note("nothing was changed");
  return exitCodes.ok;
}

/** Accepts the name of the dead-letter queue and of its alarm, too, because these are what people read in AWS's console. */
function queueNamed(name: string, all: readonly DeadQueueView[]): DeadQueueView {
  const found = all.find(({ queue, deadQueue }) => [queue, deadQueue, deadQueue.replace(/\.fifo$/, "")].includes(name));
  if (found) return found;
  throw new UsageError(`there is no queue ${name}; there are: ${all.map(({ queue }) => queue).join(", ")}`);
}

function whyNot({ queue, remedy, because }: DeadQueueView): string {
  switch (remedy) {
    case "redrive":
      return `the letters of ${queue} must not be deleted: ${because}; send them back with: ${commandLine("redrive", queue)}`;
    case "delete":
      return `the letters of ${queue} are outdated: ${because}; delete them with: ${commandLine("redrive", queue, "--delete")}`;
  }
}

async function isConfirmed(queues: readonly DeadQueueView[], { yes }: RedriveOptions, confirm: Confirm | undefined): Promise<boolean> {
  if (yes) return true;
  const what = queues.map((queue) => `${count(queue.count, "outdated letter")} of ${queue.queue}`).join(", ");
  if (confirm === undefined) throw new UsageError(`${what} would be deleted; add --yes to delete them`);
  return confirm(`delete ${what}?`);
}

type Handled = Omit<HandledLetters, "more"> & { readonly left: boolean };

/** Repeats the call until it has reached every letter. The number of calls is bounded, because letters may return while it works. */
async function workOff(queue: DeadQueueView, options: RedriveOptions, { connection, console }: Context): Promise<Handled> {
  const call = options.delete ? connection.api.deleteLetters : connection.api.redriveLetters;
  const title = `${options.delete ? "deleting" : "sending back"} ${count(queue.count, "letter")} of ${queue.queue}`;
  return withProgress(console, title, async (onProgress) => {
    let sum: Handled = { queue: queue.queue, done: 0, failures: [], left: true };
    for (let calls = Math.ceil(queue.count / atOnce) + 1; calls > 0 && sum.left; calls -= 1) {
      const { done, failures, more } = await call(queue.queue);
      sum = { ...sum, done: sum.done + done, failures: [...sum.failures, ...failures], left: more };
      onProgress(`${sum.done} done`);
    }
    return sum;
  });
}

function report(all: readonly Handled[], options: RedriveOptions, console: Context["console"]): number {
  const code = all.some(({ failures, left }) => failures.length > 0 || left) ? exitCodes.failed : exitCodes.ok;
  if (options.json) console.out(JSON.stringify({ queues: all }));
  else for (const handled of all) show(handled, options, console);
  if (code !== exitCodes.ok) console.note("run the same command again in a minute to continue with the letters that are left");
  return code;
}

function show({ queue, done, failures, left }: Handled, options: RedriveOptions, console: Context["console"]): void {
  const failed = failures.length > 0 ? `, ${count(failures.length, "failure")}` : "";
  console.out(
    `${queue}: ${count(done, "letter")} ${options.delete ? "deleted" : "sent back"}${failed}${left ? ", and some are left" : ""}`,
  );
  for (const { letter, subject, outcome, because } of failures.slice(0, maxNamed)) {
    const what = subject === undefined ? `letter ${letter}` : `${subject.kind} ${subject.name}`;
    console.note(`fleet: ${queue}: ${what}: ${because}${outcome === "repeated" ? " (it was sent back, and is still a dead letter)" : ""}`);
  }
}
