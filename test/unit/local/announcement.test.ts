import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { announce, readClouds } from "../../../lib/local/announcement.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleetwright-"));
});
afterEach(() => rm(folder, { recursive: true }));

const endpoint = "http://127.0.0.1:4567";
const theirs = "http://127.0.0.1:4566";
/** A process id that no system assigns. */
const deadPid = 2 ** 30;

async function announced(pid: number, more: object = {}): Promise<void> {
  await mkdir(join(folder, "clouds"), { recursive: true });
  const announcement = { endpoint: theirs, pid, startedAt: "2026-06-01T00:00:00.000Z", ...more };
  await writeFile(join(folder, "clouds", `${pid}.json`), JSON.stringify(announcement));
}

describe("the local clouds of a user", () => {
  it("a user has no local clouds before the first one starts", async () => {
    expect(await readClouds(folder)).toEqual({ running: [], last: undefined });
  });

  it("a local cloud is listed as running while it is announced, and as the last one after it has ended", async () => {
    const cloud = await announce(folder, { endpoint, runFolder: "/runs/1" });
    expect(await readClouds(folder)).toMatchObject({ running: [{ endpoint, runFolder: "/runs/1", pid: process.pid }], last: undefined });
    await cloud.close();
    expect(await readClouds(folder)).toMatchObject({ running: [], last: { endpoint, endedAt: expect.any(String) } });
  });

  it("running local clouds are listed newest first, and the previous one is first again when the newest ends", async () => {
    await announced(process.ppid);
    const cloud = await announce(folder, { endpoint });
    expect((await readClouds(folder)).running.map((each) => each.endpoint)).toEqual([endpoint, theirs]);
    await cloud.close();
    expect((await readClouds(folder)).running.map((each) => each.endpoint)).toEqual([theirs]);
  });

  it("a local cloud that was killed counts as ended", async () => {
    await announced(deadPid);
    expect(await readClouds(folder)).toMatchObject({ running: [], last: { endpoint: theirs, pid: deadPid } });
  });

  it("a start deletes the records of local clouds that have ended", async () => {
    await announced(deadPid);
    await announce(folder, { endpoint });
    expect((await readClouds(folder)).last).toBeUndefined();
  });

  it("reading the local clouds fails if their folder cannot be read, instead of returning none", async () => {
    await writeFile(join(folder, "clouds"), "a file");
    await expect(readClouds(folder)).rejects.toThrow("ENOTDIR");
  });
});
