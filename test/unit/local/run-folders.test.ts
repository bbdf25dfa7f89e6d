import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { whyForeign } from "../../../lib/local/requests/caller.ts";
import { createParts, together } from "../../../lib/local/run/parts.ts";
import { assembliesInUse, createRunFolder, isAlive } from "../../../lib/local/run/run-folder.ts";
import { pruneAssemblies } from "../../../lib/local/synthesize.ts";
import { expectLine, type Logged } from "../../fakes/log-lines.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-runs-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const nowMs = Date.UTC(2026, 5, 2, 12, 0, 0);
const dayMs = 24 * 3_600_000;
/** The id of a process that has ended. */
const endedPid = spawnSync(process.execPath, ["-e", ""]).pid;

async function aRun(name: string, note: unknown): Promise<void> {
  await mkdir(join(folder, "runs", name), { recursive: true });
  if (note !== undefined) await writeFile(join(folder, "runs", name, "run.json"), typeof note === "string" ? note : JSON.stringify(note));
}
const runs = async (): Promise<readonly string[]> => (await readdir(join(folder, "runs"))).sort();
const stamp = (ms: number): string => new Date(ms).toISOString().replace(/[-:.]/g, "");

describe("the folder of a run", () => {
  it("a run notes its process, and later its assembly, in a folder that begins with the time", async () => {
    const run = await createRunFolder(folder, nowMs);
    expect(await runs()).toEqual([expect.stringMatching(new RegExp(`^20260602T120000000Z-${process.pid}-\\d+$`))]);
    const note = async () => JSON.parse(await readFile(join(run.path, "run.json"), "utf8")) as unknown;
    expect(await note()).toEqual({ pid: process.pid });
    await run.use("/assembly");
    expect(await note()).toEqual({ pid: process.pid, assembly: "/assembly" });
    expect(await readdir(run.path)).toEqual(["run.json"]);
  });

  it("a start deletes the folders of runs that began more than a day ago and whose process has ended", async () => {
    await aRun(`${stamp(nowMs - dayMs - 1_000)}-old`, { pid: endedPid });
    await aRun(`${stamp(nowMs - dayMs - 1_000)}-unnoted`, undefined);
    await aRun(`${stamp(nowMs - dayMs - 1_000)}-broken`, "not JSON");
    await aRun(`${stamp(nowMs - dayMs - 1_000)}-alive`, { pid: process.pid });
    await aRun(`${stamp(nowMs - dayMs)}-recent`, { pid: endedPid });
    await aRun("notes", { pid: endedPid });
    await createRunFolder(folder, nowMs);
    const left = (await runs()).map((name) => name.split("-")[1] ?? name);
    expect(left.sort()).toEqual(["alive", "notes", "recent", String(process.pid)].sort());
  });

  it("the assemblies in use are those of living processes", async () => {
    await aRun("one", { pid: process.pid, assembly: "/a" });
    await aRun("two", { pid: process.pid });
    await aRun("three", { pid: endedPid, assembly: "/c" });
    await aRun("four", "not JSON");
    await aRun("five", { pid: "x", assembly: "/e" });
    expect(await assembliesInUse(folder)).toEqual(new Set(["/a"]));
  });

  it("a process is alive even if it belongs to another user", () => {
    expect([isAlive(process.pid), isAlive(1), isAlive(endedPid)]).toEqual([true, true, false]);
  });
});

it("an assembly that is older than an hour and not in use is deleted", async () => {
  const age = async (name: string, minutes: number) => {
    await mkdir(join(folder, name, "inner"), { recursive: true });
    const at = new Date(Date.now() - minutes * 60_000);
    await utimes(join(folder, name), at, at);
  };
  await age("synth-old", 61);
  await age("synth-used", 61);
  await age("synth-new", 59);
  await age("other", 61);
  await pruneAssemblies(folder, new Set([join(folder, "synth-used")]));
  expect((await readdir(folder)).sort()).toEqual(["other", "synth-new", "synth-used"]);
});

describe("the parts of a local cloud", () => {
  it("parts are closed once, one after the other, the last one first, although one of them fails", async () => {
    const closed: string[] = [];
    const lines: Logged[] = [];
    const parts = createParts((line) => {
      expectLine(line);
      lines.push(line);
    });
    const part = (name: string, fails = false) =>
      parts.add({
        close: async () => {
          closed.push(`${name} begins`);
          await new Promise((resolve) => setImmediate(resolve));
          closed.push(name);
          if (fails) throw new Error(`${name} hangs`);
        },
      });
    const first = part("one");
    part("two", true);
    part("three");
    expect(first).toHaveProperty("close");
    await Promise.all([parts.close(), parts.close()]);
    await parts.close();
    expect(closed).toEqual(["three begins", "three", "two begins", "two", "one begins", "one"]);
    expect(lines).toEqual([{ message: "part not closed", error: new Error("two hangs") }]);
  });

  it("work that is done together fails only after all of it has ended", async () => {
    let ended = false;
    const slow = new Promise((resolve) => setTimeout(resolve, 5)).then(() => {
      ended = true;
      return 1;
    });
    await expect(together([Promise.reject(new Error("no")), slow])).rejects.toThrow("no");
    expect(ended).toBe(true);
    expect(await together([Promise.resolve("a"), slow])).toEqual(["a", 1]);
  });
});

describe("calls that a web page may have made", () => {
  it.each([
    ["a program", { host: "127.0.0.1:4566" }],
    ["a program that uses a name of this machine", { host: "bucket.localhost:80" }],
    ["a page of this server", { host: "localhost:1", origin: "http://localhost:1", "sec-fetch-site": "same-origin" }],
    ["an address that a person typed", { host: "localhost", "sec-fetch-site": "none" }],
  ])("a call of %s is accepted", (_who, headers) => {
    expect(whyForeign(headers)).toBeUndefined();
  });

  it.each([
    [
      "a name that leads here",
      { host: "evil.example" },
      'This server serves only this machine, as 127.0.0.1 or localhost, not as "evil.example"',
    ],
    ["no name at all", {}, 'This server serves only this machine, as 127.0.0.1 or localhost, not as ""'],
    [
      "a page of another server",
      { host: "localhost", origin: "http://localhost:3000" },
      "Web pages of http://localhost:3000 may not call this server",
    ],
    [
      "a page that hides its origin",
      { host: "localhost", "sec-fetch-site": "cross-site" },
      "Web pages of another site may not call this server",
    ],
    ["a page of the same site", { host: "localhost", "sec-fetch-site": "same-site" }, "Web pages of another site may not call this server"],
  ])("a call under %s is refused with the reason", (_who, headers, why) => {
    expect(whyForeign(headers)).toBe(why);
  });
});
