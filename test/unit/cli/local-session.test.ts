import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type SessionOptions, withLocalCloud } from "../../../lib/cli/session/local-session.ts";
import type { LocalCloud } from "../../../lib/local/cloud.ts";

let folder: string;
let happened: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-session-"));
  happened = [];
});
afterEach(() => rm(folder, { recursive: true }));

const listeners = () => ["SIGINT", "SIGTERM"].map((signal) => process.listenerCount(signal));
const cloud = { close: async () => void happened.push("closed") } as unknown as LocalCloud;
const options = (over: Partial<SessionOptions> = {}): SessionOptions => ({
  folder,
  log: () => undefined,
  start: async () => {
    happened.push("started");
    return cloud;
  },
  farewell: async (of) => void happened.push(of === cloud ? "farewell" : "another cloud"),
  ...over,
});

describe("a local cloud for a piece of work", () => {
  it("a local cloud is started before the work, and closed after it and after its farewell", async () => {
    const before = listeners();
    const result = await withLocalCloud(options(), async (of, { signal }) => {
      happened.push(`work on ${of === cloud ? "it" : "another"}, aborted: ${signal.aborted}`);
      return 7;
    });
    expect(result).toBe(7);
    expect(happened).toEqual(["started", "work on it, aborted: false", "farewell", "closed"]);
    expect(listeners()).toEqual(before);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("%s aborts the work, and the cloud is closed although the work goes on", async (signal) => {
    const before = listeners();
    const result = await withLocalCloud(options(), async (_cloud, interrupt) => {
      interrupt.signal.addEventListener("abort", () => happened.push("aborted"));
      process.emit(signal);
      // The same key press may arrive twice.
      process.emit(signal);
      return new Promise<never>(() => undefined);
    });
    expect(result).toBe("interrupted");
    expect(happened).toEqual(["started", "aborted", "farewell", "closed"]);
    expect(listeners()).toEqual(before);
  });

  it("the work does not begin if the start is interrupted, whether it then succeeds or fails", async () => {
    const work = async (): Promise<void> => void happened.push("work");
    const starting = async () => {
      process.emit("SIGINT");
      return cloud;
    };
    expect(await withLocalCloud(options({ start: starting }), work)).toBe("interrupted");
    expect(happened).toEqual(["farewell", "closed"]);
    happened.length = 0;
    const failing = async () => {
      process.emit("SIGINT");
      throw new Error("the installation was ended, too");
    };
    expect(await withLocalCloud(options({ start: failing }), work)).toBe("interrupted");
    expect(happened).toEqual([]);
  });

  it("an error of the work is thrown after the cloud is closed, and one of the farewell is ignored", async () => {
    const before = listeners();
    const farewell = () => Promise.reject(new Error("no API"));
    await expect(withLocalCloud(options({ farewell }), () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(happened).toEqual(["started", "closed"]);
    await expect(withLocalCloud(options({ start: () => Promise.reject(new Error("no Python")) }), async () => 1)).rejects.toThrow(
      "no Python",
    );
    expect(listeners()).toEqual(before);
  });

  it("a cloud is not started in a folder that is not writable", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(withLocalCloud(options({ folder: join(folder, "file", "cloud") }), async () => 1)).rejects.toThrow("cannot write to");
    expect(happened).toEqual([]);
  });
});
