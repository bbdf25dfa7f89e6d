import type { PoolView } from "../../api/views/pools.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { exitCodes } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import type { Context } from "../session/context.ts";
import { duration } from "../terminal/duration.ts";
import { type Column, tableLines } from "../terminal/table.ts";
import { deadQueueColumns } from "../views/letter-view.ts";

/**
 * Lists the items of the table that this release cannot read, the queues with dead letters, what keeps failing, and the nodes on which work waits for
 * EC2's word. Exits with 1 if there are
 * any.
 */
export async function problems(options: { json?: boolean | undefined }, { connection, console, nowMs }: Context): Promise<number> {
  const { items } = await connection.api.pools();
  if (items.some(({ unreadable }) => unreadable === undefined))
    throw new FleetError("denied", "only admins see items that cannot be read; use the credentials of an administrator");
  // An item that all pools share is listed once.
  const found = items.flatMap(({ pool, unreadable = [] }) => unreadable.map((item) => ({ pool, ...item })));
  const unreadable = found.filter(({ key }, index) => found.findIndex((each) => each.key === key) === index);
  const deadLetters = (await connection.api.deadLetters()).items.filter(({ count }) => count > 0);
  // What failed once may only have met another change.
  const failing = items.flatMap(({ pool, backOffs = [] }) =>
    backOffs.filter(({ failures }) => failures > 1).map((each) => ({ pool, ...each })),
  );
  const waiting = items.flatMap(({ pool, waiting: nodes = [] }) => nodes.map((each) => ({ pool, ...each })));
  const code = unreadable.length + deadLetters.length + failing.length + waiting.length > 0 ? exitCodes.failed : exitCodes.ok;
  if (options.json) {
    console.out(JSON.stringify({ unreadable, deadLetters, failing, waiting }));
    return code;
  }
  const { width } = console;
  for (const line of tableLines(unreadable, problemColumns, { empty: "every item of every pool can be read", width })) console.out(line);
  if (deadLetters.length > 0) console.out("");
  for (const line of tableLines(deadLetters, deadQueueColumns(nowMs), { empty: "no message is among the dead letters", width }))
    console.out(line);
  if (failing.length > 0) console.out("");
  for (const line of tableLines(failing, failingColumns(nowMs), { empty: "no step of a decision keeps failing", width })) console.out(line);
  if (waiting.length > 0) console.out("");
  for (const line of tableLines(waiting, waitingColumns(nowMs), { empty: "no work waits for EC2's word on its node", width }))
    console.out(line);
  if (waiting.length > 0)
    console.note(
      `if you know that nothing runs on such a node any more: ${commandLine("node", "declare-dead", "INSTANCE", "--reason", "TEXT")}`,
    );
  if (unreadable.length > 0)
    console.note(
      "what these items stand for stays as it is: nodes count as full, launches as open. Deploy the release that wrote them, or mend them",
    );
  if (deadLetters.length > 0) {
    const logs = [...new Set(deadLetters.map((queue) => `/aws/lambda/${queue.function}`))];
    console.note(`the letters could not be handled; first find and remove the cause, in the log groups ${logs.join(", ")}`);
  }
  return code;
}

type Problem = NonNullable<PoolView["unreadable"]>[number] & { readonly pool: string };
const problemColumns: Column<Problem>[] = [
  { title: "POOL", of: ({ pool }) => pool },
  { title: "KIND", of: ({ kind }) => kind },
  { title: "ITEM", of: ({ key }) => key },
  { title: "WHY", of: ({ why }) => why, yields: true },
];

type Waiting = NonNullable<PoolView["waiting"]>[number] & { readonly pool: string };
const waitingColumns = (nowMs: number): Column<Waiting>[] => [
  { title: "POOL", of: ({ pool }) => pool },
  { title: "NODE", of: ({ node }) => node },
  { title: "FOR", of: ({ since }) => duration(nowMs - Date.parse(since)), align: "right" },
  { title: "WHY", of: ({ why }) => why, yields: true },
];

type Failing = NonNullable<PoolView["backOffs"]>[number] & { readonly pool: string };
const failingColumns = (nowMs: number): Column<Failing>[] => [
  { title: "POOL", of: ({ pool }) => pool },
  { title: "STEP", of: ({ what }) => what },
  { title: "FAILED", of: ({ failures }) => `${failures} times`, align: "right" },
  { title: "FOR", of: ({ since }) => duration(nowMs - Date.parse(since)), align: "right" },
  {
    title: "NEXT",
    of: ({ retryAt }) => (Date.parse(retryAt) > nowMs ? `in ${duration(Date.parse(retryAt) - nowMs)}` : "now"),
    align: "right",
  },
  { title: "WHY", of: ({ why }) => why, yields: true },
];
