import { CreateLogGroupCommand, CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { expect, inject, test } from "vitest";
import { messageOf } from "../../events/artifacts/log-line.ts";
import { logsClient } from "../../lib/aws/clients/logs.ts";
import { cloudWatchLogPages } from "../../lib/aws/logs/log-pages.ts";
import type { AttemptLogs } from "../../lib/ports/attempt-logs.ts";
import { unique, wire } from "./wire.ts";

const logs = logsClient(wire(inject("ministackUrl")));
const attempt = { team: "vision", job: "train-1", attempt: 2 };
const now = Date.now();

/** Creates a stream with a few lines, and returns a function that writes more. */
async function aStream() {
  const prefix = unique("/logs/");
  const stream = { logGroupName: `${prefix}vision`, logStreamName: "train-1/2" };
  await logs.send(new CreateLogGroupCommand({ logGroupName: stream.logGroupName }));
  await logs.send(new CreateLogStreamCommand(stream));
  const put = (from: number, count: number, text = "line"): Promise<unknown> => {
    const logEvents = Array.from({ length: count }, (_, i) => ({ timestamp: now + from + i, message: `${text} ${from + i}` }));
    return logs.send(new PutLogEventsCommand({ ...stream, logEvents }));
  };
  return { pages: cloudWatchLogPages(logs, prefix), put };
}

async function page(pages: AttemptLogs, from: { cursor?: string | undefined; limit: number; sinceMs?: number; newest?: boolean }) {
  const read = await pages.page(attempt, { rank: 0, ...from });
  if (read.kind !== "page") throw new Error(`it is a ${read.kind}`);
  return { ...read, texts: read.lines.map(({ text }) => text) };
}
const lines = (from: number, count: number): string[] => Array.from({ length: count }, (_, i) => `line ${from + i}`);

test("an attempt that has written nothing has an empty page", async () => {
  expect(await page(cloudWatchLogPages(logs, unique("/logs/")), { limit: 10 })).toMatchObject({ lines: [], more: false });
});

test("lines are read in order, page by page, and later lines are read with the last page's cursor", async () => {
  const { pages, put } = await aStream();
  await put(0, 25);
  const first = await page(pages, { limit: 10 });
  expect(first).toMatchObject({ texts: lines(0, 10), more: true });
  expect(first.lines[0]?.atMs).toBe(now);
  const second = await page(pages, { limit: 10, cursor: first.cursor });
  expect(second).toMatchObject({ texts: lines(10, 10), more: true });
  const third = await page(pages, { limit: 10, cursor: second.cursor });
  expect(third).toMatchObject({ texts: lines(20, 5), more: false });
  const nothing = await page(pages, { limit: 10, cursor: third.cursor });
  expect(nothing).toMatchObject({ texts: [], more: false });
  await put(25, 3);
  expect(await page(pages, { limit: 10, cursor: nothing.cursor })).toMatchObject({ texts: lines(25, 3), more: false });
});

test("long lines are read in shorter pages, and none is left out", async () => {
  const { pages, put } = await aStream();
  const long = "x".repeat(200_000);
  for (let at = 0; at < 20; at += 4) await put(at, 4, long);
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let more = true; more; ) {
    const read = await page(pages, { limit: 1_000, cursor });
    expect(JSON.stringify(read.texts).length).toBeLessThan(3_000_000);
    seen.push(...read.texts.map((text) => text.slice(long.length)));
    more = read.more || read.lines.length > 0;
    cursor = read.cursor;
  }
  expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => ` ${i}`));
});

test("a page of the newest lines is read first if it is asked for, and later lines after it", async () => {
  const { pages, put } = await aStream();
  await put(0, 25);
  const tail = await page(pages, { limit: 10, newest: true });
  expect(tail).toMatchObject({ texts: lines(15, 10), more: false });
  expect(await page(pages, { limit: 10, cursor: tail.cursor })).toMatchObject({ texts: [], more: false });
  await put(25, 3);
  expect(await page(pages, { limit: 10, cursor: tail.cursor, newest: true })).toMatchObject({ texts: lines(25, 3) });
  expect(await page(pages, { limit: 100, newest: true })).toMatchObject({ texts: lines(0, 28) });
});

test("a page of the newest lines has as many as fit into a response", async () => {
  const { pages, put } = await aStream();
  for (let at = 0; at < 20; at += 4) await put(at, 4, "x".repeat(200_000));
  const tail = await page(pages, { limit: 20, newest: true });
  expect(tail.lines.length).toBeGreaterThan(5);
  expect(JSON.stringify(tail.texts).length).toBeLessThan(2_600_000);
  expect(tail.texts.at(-1)).toMatch(/ 19$/);
});

test("lines since a given time are filtered by the service", async () => {
  const { pages, put } = await aStream();
  await put(0, 25);
  const since = await page(pages, { limit: 3, sinceMs: now + 20 });
  expect(since).toMatchObject({ texts: lines(20, 3), more: true });
  expect(await page(pages, { limit: 3, sinceMs: now + 20, cursor: since.cursor })).toMatchObject({ texts: lines(23, 2) });
  expect(await page(pages, { limit: 100, sinceMs: now + 20, newest: true })).toMatchObject({ texts: lines(20, 5) });
  expect(await page(pages, { limit: 100, sinceMs: now + 1_000 })).toMatchObject({ texts: [] });
});

test("each member of a gang is read from its own stream, and pieces of lines keep their flags", async () => {
  const prefix = unique("/logs/");
  const stream = { logGroupName: `${prefix}vision`, logStreamName: "train-1/2/3" };
  await logs.send(new CreateLogGroupCommand({ logGroupName: stream.logGroupName }));
  await logs.send(new CreateLogStreamCommand(stream));
  const pieces = [{ text: "10%", unfinished: true }, { text: "20%", rewrites: true }, { text: "" }] as const;
  const logEvents = pieces.map((piece) => ({ timestamp: now, message: messageOf(piece) }));
  await logs.send(new PutLogEventsCommand({ ...stream, logEvents }));
  const read = await cloudWatchLogPages(logs, prefix).page(attempt, { rank: 3, limit: 10 });
  expect(read).toMatchObject({ lines: pieces.map((piece) => ({ atMs: now, ...piece })) });
});
