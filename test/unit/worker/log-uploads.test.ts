import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { LogUploads, type PutSegment } from "../../../lib/worker/logs/log-uploads.ts";
import type { Spooled } from "../../../lib/worker/logs/spooled-segment.ts";
import { workerLogInto } from "../../fakes/log-lines.ts";
import { ManualClock } from "./manual-clock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-uploads-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function aSegment(name: string, fileBytes = name.length): Promise<Spooled> {
  const file = join(folder, name);
  await writeFile(file, name);
  return { file, sha256: name, fileBytes, bytes: 10, offset: 0 };
}

/** Uploads to an S3 that refuses every segment, with the times in ms at which it was called. */
function refused() {
  const clock = new ManualClock();
  const atMs: number[] = [];
  const logged: string[] = [];
  const put: PutSegment = async (_segment, signal) => {
    // A request of an aborted signal never leaves the node.
    if (!signal.aborted) atMs.push(clock.monotonicMs());
    throw new FleetError("upload", "S3 does not respond", { retry: true });
  };
  const uploads = new LogUploads({ put, clock, random: () => 0, log: workerLogInto(logged), attempt: "vision/train-1#1" });
  const called = (count: number) => expect.poll(() => atMs.length, { timeout: 5_000, interval: 5 }).toBe(count);
  return { clock, atMs, logged, uploads, called };
}
/** With `random` = 0, each of the four tries of a round begins 500 ms after the one before. */
const roundFrom = (startMs: number): number[] => [0, 500, 1_000, 1_500].map((ms) => startMs + ms);

describe("the uploads of a log", () => {
  test("a segment that S3 refuses is tried four times, and again 15 s later while the attempt runs", async () => {
    const { clock, atMs, uploads, called } = refused();
    uploads.add(await aSegment("one"), { last: false });
    await called(1);
    await clock.pass(1_500 + 14_999);
    expect(atMs).toEqual(roundFrom(0));
    await clock.pass(1);
    await called(5);
    expect(atMs.slice(4)).toEqual([16_500]);
  });

  test("a segment is tried at once when the attempt ends, and then again every second after its four tries", async () => {
    const { clock, atMs, uploads, called } = refused();
    uploads.add(await aSegment("one"), { last: true });
    await called(1);
    await clock.pass(1_500);
    const finished = uploads.finish(2_600);
    await called(5);
    await clock.pass(2_499);
    expect(atMs).toEqual([...roundFrom(0), ...roundFrom(1_500)]);
    await clock.pass(1);
    await called(9);
    expect(atMs.at(-1)).toBe(4_000);
    await clock.pass(100);
    await finished;
    expect(uploads.missingBytes).toBe(10);
  });

  test("a segment that waits after an unsuccessful end is tried every 15 s again", async () => {
    const { clock, atMs, uploads, called } = refused();
    uploads.add(await aSegment("one"), { last: false });
    await called(1);
    const finished = uploads.finish(100);
    await clock.pass(100);
    await finished;
    uploads.add(await aSegment("two"), { last: true });
    await called(2);
    await clock.pass(1_500 + 14_999);
    expect(atMs).toEqual([0, ...roundFrom(100)]);
    await clock.pass(1);
    await called(6);
  });

  test("segments of 512 MiB may wait, and beyond that the second oldest is given up, because the oldest may be on its way", async () => {
    const { clock, logged, uploads, called } = refused();
    const lost = () => logged.filter((line) => line === "log segment lost").length;
    for (const [name, mebibytes] of [
      ["one", 256],
      ["two", 128],
      ["three", 128],
    ] as const)
      uploads.add(await aSegment(name, mebibytes * 1024 ** 2), { last: false });
    await called(1);
    expect(lost()).toBe(0);
    uploads.add(await aSegment("four", 1), { last: true });
    expect([lost(), uploads.missingBytes]).toEqual([1, 40]);
    await expect.poll(() => readdir(folder)).toEqual(["four", "one", "three"]);
    const finished = uploads.finish(100);
    await clock.pass(100);
    await finished;
  });
});
