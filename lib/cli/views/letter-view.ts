import type { DeadQueueView } from "../../api/views/letters.ts";
import { commandLine } from "../invocation/invocation.ts";
import { duration } from "../terminal/duration.ts";
import type { Column } from "../terminal/table.ts";

/** The most letters of a queue that a line names. */
const maxNamed = 3;

/** The columns of a list of queues that have dead letters. */
export const deadQueueColumns = (nowMs: number): Column<DeadQueueView>[] => [
  { title: "QUEUE", of: ({ queue }) => queue },
  { title: "LETTERS", of: ({ count }) => String(count), align: "right" },
  { title: "OLDEST", of: (queue) => oldest(queue, nowMs), align: "right" },
  { title: "ABOUT", of: about, yields: true },
  { title: "NEXT", of: whatNext },
];

/** Returns the age of the oldest letter that was seen. An older one may be among those that were not. */
function oldest({ letters: [first] }: DeadQueueView, nowMs: number): string {
  return first === undefined ? "-" : duration(nowMs - Date.parse(first.sentAt));
}

function about({ letters, count }: DeadQueueView): string {
  const named = letters.slice(0, maxNamed).map(({ subject, error }) => {
    const what = subject === undefined ? "?" : `${subject.kind} ${subject.name}`;
    return error === undefined ? what : `${what} (${error})`;
  });
  const more = count - named.length;
  return `${named.join("; ")}${more > 0 ? `${named.length > 0 ? "; " : ""}${more} more` : ""}`;
}

function whatNext({ queue, remedy }: DeadQueueView): string {
  switch (remedy) {
    case "redrive":
      return commandLine("redrive", queue);
    case "delete":
      return commandLine("redrive", queue, "--delete");
  }
}
