import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { announce, readAnnouncement } from "../../../lib/local/announcement.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleetwright-"));
});
afterEach(() => rm(folder, { recursive: true }));

const ours = "http://127.0.0.1:4567";
const theirs = "http://127.0.0.1:4566";
const announced = (pid: number): Promise<void> =>
  writeFile(join(folder, "local.json"), JSON.stringify({ endpoint: theirs, pid, startedAt: "2026-06-01T00:00:00.000Z" }));

it("a cloud is found while it is announced, and not after", async () => {
  const end = await announce(folder, ours);
  expect((await readAnnouncement(folder))?.endpoint).toBe(ours);
  await end();
  expect(await readAnnouncement(folder)).toBeUndefined();
});

it("the newest is found; when it ends, the one before that still runs", async () => {
  await announced(process.ppid);
  const end = await announce(folder, ours);
  expect((await readAnnouncement(folder))?.endpoint).toBe(ours);
  await end();
  expect((await readAnnouncement(folder))?.endpoint).toBe(theirs);
});

it("one whose process is gone is not found", async () => {
  // Beyond what any system hands out.
  await announced(2 ** 30);
  expect(await readAnnouncement(folder)).toBeUndefined();
});
