import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { whereAndWhat } from "../../../lib/cli/artifacts/selected.ts";
import { type GetOptions, getArtifacts, listArtifacts } from "../../../lib/cli/commands/jobs/artifacts.ts";
import type { SealedManifest } from "../../../lib/model/artifact.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import type { Job } from "../../../lib/model/job.ts";
import type { ArtifactReader } from "../../../lib/ports/artifacts.ts";
import { aJob, aSpec, monday } from "../../fakes/builders.ts";
import { aContext } from "./fake-api.ts";

const team = "research";
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-get-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Left = Readonly<Record<string, string | { readonly content: string; readonly mode?: number; readonly escaped?: true }>>;

/** Returns the manifest of an attempt that left these files. */
function kept(attempt: number, left: Left, over: Partial<SealedManifest> = {}): SealedManifest {
  const artifacts = Object.entries(left).map(([path, file]) => {
    const { content, mode = 0o644, escaped } = typeof file === "string" ? { content: file } : file;
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { path, bytes: content.length, sha256, mode, ...(escaped ? { escaped } : {}), key: content };
  });
  return {
    version: 2,
    team,
    job: "train-7",
    attempt,
    sealedAt: "2026-06-01T00:00:00.000Z",
    artifacts,
    leftOut: [],
    missing: [],
    lost: [],
    ...over,
  };
}

/** Creates a command's world: a job, and what was kept of its attempts. */
function world(job: Partial<Job>, all: readonly SealedManifest[] = [], over: Partial<ArtifactReader> = {}) {
  const opened: string[] = [];
  const trouble: { at: (path: string) => void } = { at: () => undefined };
  const artifacts: ArtifactReader = {
    list: async ({ attempt }) => all.find((each) => each.attempt === attempt),
    open: async (_attempt, artifact, file) => {
      opened.push(artifact.path);
      trouble.at(artifact.path);
      await mkdir(dirname(file.toString("latin1")), { recursive: true });
      await writeFile(file, artifact.key);
      await chmod(file, artifact.mode);
    },
    ...over,
  };
  const found = { ...aJob({ team, job: "train-7", state: "succeeded", attempt: 1 }), ...job };
  const jobs = { get: async () => found, list: async () => ({ jobs: [] }) };
  const { on, printed } = aContext({ url: "http://nowhere" }, { artifacts, jobs: jobs as never });
  const get = (options: GetOptions = {}, patterns: readonly string[] = []) =>
    getArtifacts("train-7", { folder, patterns }, { ...on, options: { team, ...options } });
  const list = (options: GetOptions = {}, patterns: readonly string[] = []) =>
    listArtifacts("train-7", patterns, { ...on, options: { team, ...options } });
  return { get, list, printed, opened, trouble, json: () => JSON.parse(printed.out.at(-1) ?? "null") };
}

const here = (path: string): string => join(folder, path);
const left: Left = { "model.pt": "weights", "ckpt/1.pt": "one", "ckpt/2.pt": "two" };

describe("artifacts get", () => {
  test("artifacts get fetches all files into a folder, with their permissions", async () => {
    const { get, printed } = world({}, [kept(1, { ...left, "run.sh": { content: "#!", mode: 0o755 } })]);
    expect(await get()).toBe(0);
    expect(await readFile(here("ckpt/2.pt"), "utf8")).toBe("two");
    expect((await stat(here("run.sh"))).mode & 0o777).toBe(0o755);
    expect(printed.out).toEqual([`4 files in ${folder} (15 bytes, verified)`]);
  });

  test("artifacts get restores the original bytes of escaped names", async () => {
    const { get } = world({}, [
      kept(1, { "logs%5Ca%25.txt": { content: "1", escaped: true }, "caf%E9": { content: "2", escaped: true }, "100%41": "3" }),
    ]);
    expect(await get()).toBe(0);
    const names = (await readdir(folder, { encoding: "buffer" })).map((name) => name.toString("latin1"));
    expect(names.sort()).toEqual(["100%41", "caf\xe9", "logs\\a%.txt"]);
  });

  test("artifacts get fetches only the files that are not there yet, and counts the others", async () => {
    await writeFile(here("model.pt"), "weights");
    const { get, printed, opened } = world({}, [kept(1, left)]);
    expect(await get()).toBe(0);
    expect(opened.sort()).toEqual(["ckpt/1.pt", "ckpt/2.pt"]);
    expect(printed.out).toEqual([`3 files in ${folder} (13 bytes, verified, 1 of them already there)`]);
  });

  test("artifacts get does not overwrite a file that differs, unless --force is given", async () => {
    await writeFile(here("model.pt"), "my own");
    const { get, opened } = world({}, [kept(1, left)]);
    await expect(get()).rejects.toThrow(/nothing was fetched, because a different file is already there:\n {2}model\.pt\n.*--force/);
    expect(opened).toEqual([]);
    expect(await readFile(here("model.pt"), "utf8")).toBe("my own");
    expect(await get({ force: true })).toBe(0);
    expect(await readFile(here("model.pt"), "utf8")).toBe("weights");
  });

  test("artifacts get continues after a file that fails, reports it, and exits with 1", async () => {
    await mkdir(here("model.pt"));
    const { get, printed, trouble, opened } = world({}, [kept(1, { ...left, last: "x" })]);
    trouble.at = (path) => {
      if (path === "ckpt/1.pt") throw new FleetError("missing", "There is no sealed file");
      if (path === "ckpt/2.pt")
        throw new FleetError("not-opened", "it broke", { cause: Object.assign(new Error("ENOSPC: write"), { code: "ENOSPC" }) });
    };
    expect(await get()).toBe(1);
    expect(printed.note).toEqual([
      "fleet: model.pt was not fetched: there is a folder of that name",
      "fleet: ckpt/1.pt was not fetched: There is no sealed file",
      "fleet: ckpt/2.pt was not fetched: the disk is full",
    ]);
    expect(printed.out).toEqual([`1 file in ${folder} (1 byte, verified)`]);
    expect(opened.filter((path) => path === "ckpt/1.pt")).toHaveLength(1);
  });

  test.each([
    [10, []],
    [12, ["and 2 more"]],
  ])("artifacts get names at most ten of %i files that it does not overwrite", async (count, more) => {
    const names = Array.from({ length: count }, (_, n) => `f${10 + n}`);
    for (const name of names) await writeFile(here(name), "mine");
    const { get } = world({}, [kept(1, Object.fromEntries(names.map((name) => [name, "kept"])))]);
    await expect(get()).rejects.toMatchObject({
      code: "would-overwrite",
      message: `nothing was fetched, because ${count} different files are already there:\n  ${[...names.slice(0, 10), ...more].join("\n  ")}
Overwrite with --force, or fetch into another folder with --to.`,
    });
  });

  test.each([
    [20, []],
    [23, ["fleet: and 3 more"]],
  ])("artifacts get names at most twenty of %i files that fail", async (count, more) => {
    const names = Array.from({ length: count }, (_, n) => `f${10 + n}`);
    const { get, printed, trouble } = world({}, [kept(1, Object.fromEntries(names.map((name) => [name, "x"])))]);
    trouble.at = () => {
      throw new FleetError("missing", "gone");
    };
    expect(await get()).toBe(1);
    expect(printed.out).toEqual([]);
    expect(printed.note).toEqual([...names.slice(0, 20).map((name) => `fleet: ${name} was not fetched: gone`), ...more]);
  });

  test("artifacts get fetches eight files at once", async () => {
    const names = Array.from({ length: 20 }, (_, n) => `f${n}`);
    let [busy, most] = [0, 0];
    const { get } = world({}, [kept(1, Object.fromEntries(names.map((name) => [name, name])))], {
      open: async () => {
        most = Math.max(most, ++busy);
        await new Promise((resolve) => setImmediate(resolve));
        busy -= 1;
      },
    });
    expect(await get()).toBe(0);
    expect(most).toBe(8);
  });

  test("artifacts get gives up a file after three broken connections", async () => {
    const { get, printed, trouble, opened } = world({}, [kept(1, { a: "1" })]);
    trouble.at = () => {
      throw new FleetError("not-opened", "the connection broke");
    };
    expect(await get()).toBe(1);
    expect(opened).toEqual(["a", "a", "a"]);
    expect(printed.note).toEqual(["fleet: a was not fetched: the connection broke"]);
  });

  test.each([
    [{ missing: ["a"] }, "1 entry was not kept"],
    [
      { missing: ["a"], leftOut: [{ path: "b", because: "a pipe" }], leftOutMore: 4, lost: [{ path: "c", because: "cut" }] },
      "7 entries were not kept",
    ],
  ])("artifacts get counts what was not kept: %j", async (over, what) => {
    const { get, printed } = world({}, [kept(1, left, over)]);
    expect(await get()).toBe(0);
    expect(printed.note).toEqual([`${what}: fleet artifacts list train-7 --attempt 1`]);
  });

  test.each([
    ["of another size", "other"],
    ["of the same size", "WEIGHTS"],
  ])("artifacts get does not take a different file %s for the artifact", async (_what, content) => {
    await writeFile(here("model.pt"), content);
    await expect(world({}, [kept(1, left)]).get()).rejects.toThrow("a different file is already there");
  });

  test("artifacts get says why a place cannot be used", async () => {
    await writeFile(here("ckpt"), "a file where a folder should be");
    await expect(world({}, [kept(1, left)]).get()).rejects.toThrow(/2 different files are already there:\n {2}ckpt\/1\.pt\n/);
    const { get, printed } = world({}, [kept(1, { ["n".repeat(300)]: "1" })]);
    expect(await get()).toBe(1);
    expect(printed.note).toEqual([`fleet: ${"n".repeat(300)} was not fetched: its path is too long for this machine`]);
  });

  test("artifacts get retries a file when a connection breaks", async () => {
    const { get, trouble, opened } = world({}, [kept(1, { a: "1" })]);
    trouble.at = () => {
      if (opened.length < 3) throw new FleetError("not-opened", "the connection broke");
    };
    expect(await get()).toBe(0);
    expect(opened).toEqual(["a", "a", "a"]);
  });

  test.each(["%2E%2E/x", "a/%2E%2E/%2E%2E/x", "%2Fetc/x", "a%00b", "a/%2F"])(
    "artifacts get does not write outside of its folder: %s",
    async (path) => {
      const { get, printed, opened } = world({}, [kept(1, { [path]: { content: "1", escaped: true }, good: "2" })]);
      expect(await get()).toBe(1);
      expect(opened).toEqual(["good"]);
      expect(printed.note).toEqual([`fleet: ${path} was not fetched: its name would lead out of the folder`]);
    },
  );

  test("artifacts get fetches the files that match patterns, and names what exists if one matches nothing", async () => {
    const { get, opened } = world({}, [kept(1, left)]);
    expect(await get({}, ["ckpt/*.pt"])).toBe(0);
    expect(opened.sort()).toEqual(["ckpt/1.pt", "ckpt/2.pt"]);
    await expect(get({}, ["out"])).rejects.toThrow(
      "nothing matches out: there are model.pt, ckpt/1.pt, ckpt/2.pt; to fetch everything into a folder of that name: fleet artifacts get train-7 --to out",
    );
    await expect(get({}, ["*.json"])).rejects.toThrow(/^nothing matches \*\.json: there are model\.pt, ckpt\/1\.pt, ckpt\/2\.pt$/);
  });

  test.each([
    [5, "a0, a1, a2, a3, a4"],
    [7, "a0, a1, a2, a3, a4 and 2 more"],
  ])("artifacts get names at most five of %i files if a pattern matches none", async (count, named) => {
    const { get } = world({}, [kept(1, Object.fromEntries(Array.from({ length: count }, (_, n) => [`a${n}`, "x"])))]);
    await expect(get({}, ["*.json"])).rejects.toMatchObject({ message: `nothing matches *.json: there are ${named}` });
  });

  test.each(["failed", "cancelled", "queued", "running"] as const)(
    "artifacts get fetches from the newest attempt that left files if the job is %s",
    async (state) => {
      const { get, printed } = world({ state, attempt: 4 }, [kept(3, {}), kept(2, { "ckpt.pt": "2" }), kept(1, { "ckpt.pt": "1" })]);
      expect(await get()).toBe(0);
      expect(await readFile(here("ckpt.pt"), "utf8")).toBe("2");
      expect(printed.note).toEqual(["using attempt 2: no later attempt left files"]);
      expect(await get({ attempt: 1, force: true })).toBe(0);
      expect(await readFile(here("ckpt.pt"), "utf8")).toBe("1");
    },
  );

  test.each<[string, Partial<SealedManifest>, readonly string[], string]>([
    ["named no files", {}, [], 'no file was kept of train-7: it named no files to keep; name them in its "artifacts", or with --artifact'],
    [
      "left none of the files that it named",
      { missing: ["a"] },
      ["a"],
      "no file was kept of train-7; see why: fleet artifacts list train-7 --attempt 1",
    ],
    ["named empty folders", {}, ["out"], "no file was kept of train-7: the folders that it named are empty"],
  ])("artifacts get fails for a job that %s", async (_name, over, named, why) => {
    const { get } = world({ spec: aSpec({ artifacts: named }) }, [kept(1, {}, over)]);
    await expect(get()).rejects.toThrow(why);
  });

  test("artifacts get --json says for each file whether it was fetched", async () => {
    await writeFile(here("model.pt"), "weights");
    const { get, json, trouble } = world({}, [kept(1, left)]);
    trouble.at = (path) => {
      if (path === "ckpt/1.pt") throw new FleetError("missing", "gone");
    };
    expect(await get({ json: true })).toBe(1);
    expect(json()).toMatchObject({
      job: "train-7",
      attempt: 1,
      folder,
      artifacts: [
        { path: "model.pt", bytes: 7, how: "already there" },
        { path: "ckpt/2.pt", how: "fetched" },
      ],
      failed: [{ path: "ckpt/1.pt", because: "gone" }],
    });
  });
});

describe("artifacts list", () => {
  const whole = kept(2, left, {
    leftOut: [{ path: "out/pipe", because: "it is a named pipe (FIFO)" }],
    leftOutMore: 7,
    missing: ["final/*.pt"],
    lost: [{ path: "x", because: "it was not uploaded" }],
  });

  test("artifacts list shows what was kept, and what was not kept and why", async () => {
    const { list, printed } = world({ attempt: 2 }, [whole, kept(1, { a: "1" })]);
    expect(await list()).toBe(0);
    expect(printed.out).toEqual([
      "PATH           SIZE  NOTE",
      "model.pt    7 bytes",
      "ckpt/1.pt   3 bytes",
      "ckpt/2.pt   3 bytes",
      "out/pipe          -  left out: it is a named pipe (FIFO)",
      "(7 more)          -  left out",
      "final/*.pt        -  missing: no file matched",
      "x                 -  lost: it was not uploaded",
    ]);
    expect(printed.note).toEqual([
      "3 files, 13 bytes, of attempt 2",
      "other attempts left something too: 1 (fleet artifacts list train-7 --attempt 1)",
    ]);
  });

  test.each([
    ["succeeded", 1, undefined, "1 file, 1 byte"],
    ["failed", 3, undefined, "1 file, 1 byte, of attempt 2 (the latest is 3)"],
    ["failed", 2, "the run failed", "1 file, 1 byte, of attempt 2"],
  ] as const)("artifacts list of a job that %s in attempt %i says which attempt it shows (%s)", async (state, attempt, failed, what) => {
    const { list, printed } = world({ state, attempt }, [
      kept(Math.min(attempt, 2), { "caf%E9": { content: "1", escaped: true } }, failed === undefined ? {} : { failed }),
    ]);
    expect(await list()).toBe(0);
    expect(printed.out.at(-1)).toBe("caf%E9  1 byte  escaped name; restored by get");
    expect(printed.note).toEqual(failed === undefined ? [what] : [what, failed]);
  });

  test("artifacts list reads the fifty latest attempts, eight at once, and an older one if it is named", async () => {
    const read: number[] = [];
    let [busy, most] = [0, 0];
    const { list } = world({ attempt: 60 }, [], {
      list: async ({ attempt }) => {
        read.push(attempt);
        most = Math.max(most, ++busy);
        await new Promise((resolve) => setImmediate(resolve));
        busy -= 1;
        return attempt > 11 ? undefined : kept(attempt, { a: "1" });
      },
    });
    expect(await list()).toBe(0);
    expect(read.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n + 11));
    expect(most).toBe(8);
    expect(await list({ attempt: 3 })).toBe(0);
    expect(read.at(-1)).toBe(3);
  });

  test.each([
    [10 * 60_000 - 1, /may not be sealed yet/],
    [10 * 60_000, /none of its files were kept/],
  ])("artifacts list expects the files of a job for ten minutes after its end: %i ms", async (ago, why) => {
    const endedAtMs = monday + 3_600_000 - ago;
    const { list } = world({ state: "failed", spec: aSpec({ artifacts: ["model.pt"] }), startedAtMs: 1, endedAtMs });
    await expect(list()).rejects.toThrow(why);
  });

  test("artifacts list shows only entries that match patterns", async () => {
    const { list, printed } = world({ attempt: 2 }, [whole]);
    expect(await list({}, ["ckpt", "out/*"])).toBe(0);
    expect(printed.out.slice(1).map((line) => line.split(" ")[0])).toEqual(["ckpt/1.pt", "ckpt/2.pt", "out/pipe"]);
  });

  test("artifacts list with patterns leaves out what they do not match, of every kind, and what has no name", async () => {
    const { list, json } = world({ attempt: 2 }, [whole]);
    expect(await list({ json: true }, ["model.pt", "final/*.pt"])).toBe(0);
    expect(json()).toMatchObject({ artifacts: [{ path: "model.pt" }], leftOut: [], missing: ["final/*.pt"], lost: [] });
    expect(json()).not.toHaveProperty("leftOutMore");
    expect(await list({ json: true }, ["x", "out"])).toBe(0);
    expect(json()).toMatchObject({ artifacts: [], leftOut: [{ path: "out/pipe" }], missing: [], lost: [{ path: "x" }] });
  });

  test("artifacts list --json prints everything except the keys on S3", async () => {
    const { list, json } = world({ attempt: 2 }, [whole, kept(1, {})]);
    expect(await list({ json: true })).toBe(0);
    expect(json()).toMatchObject({ job: "train-7", attempt: 2, leftOutMore: 7, missing: ["final/*.pt"], otherAttempts: [1] });
    expect(json().artifacts[0]).toEqual({ path: "model.pt", bytes: 7, sha256: expect.any(String), mode: 0o644 });
  });

  const named = aSpec({ artifacts: ["model.pt", { path: "final.pt", required: true }] });
  test.each<[Partial<Job>, number | undefined, string]>([
    [{ state: "queued" }, undefined, "train-7 is queued: no attempt of it has run yet"],
    [{ state: "queued", attempt: 3 }, undefined, "train-7 is queued again, and no attempt so far left files"],
    [{ state: "placed" }, undefined, "train-7 is placed on a node and about to run: its files are kept when the run ends"],
    [{ state: "running" }, undefined, "train-7 is running: its files are kept when the run ends"],
    [{ state: "sealing" }, undefined, "train-7 is sealing: its files are being encrypted; try again in a moment"],
    [{ state: "rejected", reason: "no such pool" }, undefined, "train-7 was rejected and never ran (no such pool)"],
    [{ state: "running", attempt: 2 }, 3, "train-7 has no attempt 3; its latest is 2"],
    [{ state: "running", attempt: 2 }, 1, "attempt 1 of train-7 left no files that were kept"],
    [
      { state: "failed", reason: "exit code 3: boom\nmore", spec: aSpec({ artifacts: [] }) },
      undefined,
      'train-7 is failed (exit code 3: boom); it named no files to keep; name them in its "artifacts", or with --artifact',
    ],
    [{ state: "failed", spec: named }, undefined, 'train-7 is failed; none of its files were kept (it named "model.pt", "final.pt")'],
  ])("artifacts list says why there are no artifacts: %j", async (job, attempt, why) => {
    const { list } = world({ ...job, startedAtMs: undefined, endedAtMs: undefined });
    await expect(list(attempt === undefined ? {} : { attempt })).rejects.toThrow(why);
  });

  test("artifacts list says that the files of a job that has just ended may not be sealed yet", async () => {
    const { list } = world({ state: "cancelled", spec: named, startedAtMs: 1, endedAtMs: Date.UTC(2100, 0) });
    await expect(list()).rejects.toThrow("train-7 is cancelled; its files may not be sealed yet: try again in a minute");
  });
});

test.each([
  [["./out"], undefined, "./out", []],
  [["/tmp/out", "*.pt"], undefined, "/tmp/out", ["*.pt"]],
  [["out/"], undefined, "out/", []],
  [["."], undefined, ".", []],
  [["ckpt/*.pt", "model.pt"], undefined, undefined, ["ckpt/*.pt", "model.pt"]],
  [["./*.pt"], undefined, undefined, ["./*.pt"]],
  [["model.pt"], "out", "out", ["model.pt"]],
  [[], undefined, undefined, []],
])("artifacts get with the arguments %j and --to %s fetches into the folder %s", (words, to, folder, patterns) => {
  expect(whereAndWhat(words, to)).toEqual({ folder, patterns });
});

test("artifacts get refuses two folders", () => {
  expect(() => whereAndWhat(["./a"], "b")).toThrow("there are two folders to fetch into, b and ./a; name only one");
});
