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
/** Beyond what any system hands out. */
const deadPid = 2 ** 30;

async function announced(pid: number, more: object = {}): Promise<void> {
  await mkdir(join(folder, "clouds"), { recursive: true });
  const announcement = { endpoint: theirs, pid, startedAt: "2026-06-01T00:00:00.000Z", ...more };
  await writeFile(join(folder, "clouds", `${pid}.json`), JSON.stringify(announcement));
}

describe("the local clouds of a user", () => {
  it("are none before one was started", async () => {
    expect(await readClouds(folder)).toEqual({ running: [], last: undefined });
  });

  it("include one while it is announced, and remember it when it has ended", async () => {
    const cloud = await announce(folder, { endpoint, runFolder: "/runs/1" });
    expect(await readClouds(folder)).toMatchObject({ running: [{ endpoint, runFolder: "/runs/1", pid: process.pid }], last: undefined });
    await cloud.close();
    expect(await readClouds(folder)).toMatchObject({ running: [], last: { endpoint, endedAt: expect.any(String) } });
  });

  it("are ordered by when they started, and the one before comes back when the newest ends", async () => {
    await announced(process.ppid);
    const cloud = await announce(folder, { endpoint });
    expect((await readClouds(folder)).running.map((each) => each.endpoint)).toEqual([endpoint, theirs]);
    await cloud.close();
    expect((await readClouds(folder)).running.map((each) => each.endpoint)).toEqual([theirs]);
  });

  it("count one that was killed as ended", async () => {
    await announced(deadPid);
    expect(await readClouds(folder)).toMatchObject({ running: [], last: { endpoint: theirs, pid: deadPid } });
  });

  it("forget those that have ended when another one starts", async () => {
    await announced(deadPid);
    await announce(folder, { endpoint });
    expect((await readClouds(folder)).last).toBeUndefined();
  });

  it("cannot be known if their folder cannot be read, which is not the same as none", async () => {
    await writeFile(join(folder, "clouds"), "a file");
    await expect(readClouds(folder)).rejects.toThrow("ENOTDIR");
  });
});
