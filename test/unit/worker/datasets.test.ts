import { chmod, link, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Shard } from "../../../lib/model/dataset.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { makeView } from "../../../lib/worker/data/data-view.ts";
import { NodeData } from "../../../lib/worker/data/datasets.ts";
import { ShardCache } from "../../../lib/worker/data/shard-cache.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryS3, s3Error } from "./memory-s3.ts";

const list = { bucket: "data", key: "list" };
const plenty = 1024 ** 4;
let root: string;
let s3: MemoryS3;
let clock: ManualClock;
let freeBytes: number;
let data: NodeData;
let cache: ShardCache;
let lines: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fw-data-"));
  s3 = new MemoryS3();
  clock = new ManualClock();
  lines = [];
  freeBytes = plenty;
  cache = new ShardCache(root, async () => ({ freeBytes, totalBytes: plenty }));
  data = new NodeData(cache);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const attempt = (job: string) => ({ team: "vision", job, attempt: 1 });
const viewOf = (job: string): string => join(root, "attempts", job, "data");
const cached = (): Promise<string[]> => readdir(join(root, "data", "vision", "mnist"));
const upload = (files: Readonly<Record<string, string>>): Shard[] =>
  Object.entries(files).map(([path, body]) => s3.put(`vision/mnist/${path}`, body));

/** Fetches `mnist` by that list for a job. Returns the error if it fails. The clock advances as needed. */
async function fetch(job: string, over: { signal?: AbortSignal; key?: string } = {}): Promise<FleetError | undefined> {
  const tries = { clock, random: () => 0, signal: over.signal ?? new AbortController().signal, most: 3 };
  const datasets = [{ name: "mnist", version: 7, list: { ...list, key: over.key ?? list.key } }];
  const order = { attempt: attempt(job), datasets, folder: viewOf(job), s3, tries, onLine: (line: string) => void lines.push(line) };
  const done = data
    .lists(order)
    .then((lists) => data.fetch(order, lists))
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  let over_ = false;
  void done.finally(() => {
    over_ = true;
  });
  while (!over_) await clock.pass(100);
  const error = await done;
  if (error !== undefined && !(error instanceof FleetError)) throw error;
  return error;
}

describe("a dataset on a node", () => {
  test("a dataset appears read-only below the job's folder, under its keys without the prefix", async () => {
    s3.putList("list", upload({ "train/0.bin": "zero", "train/1.bin": "one", empty: "" }));
    expect(await fetch("a")).toBeUndefined();
    expect(await readFile(join(viewOf("a"), "mnist", "train", "0.bin"), "utf8")).toBe("zero");
    expect((await readdir(join(viewOf("a"), "mnist"), { recursive: true })).sort()).toEqual([
      "empty",
      "train",
      "train/0.bin",
      "train/1.bin",
    ]);
    expect((await stat(join(viewOf("a"), "mnist", "train", "1.bin"))).mode & 0o777).toBe(0o444);
    expect(data.fetched()).toEqual([{ team: "vision", dataset: "mnist", version: 7, shards: 3, bytes: 7 }]);
    expect(lines.at(-1)).toBe("[fleetwright: dataset mnist: 3 shards, 0.0 MiB, fetched and checked]");
  });

  test("other users cannot reach a dataset except through the links of its jobs", async () => {
    s3.putList("list", upload({ "0": "zero" }));
    await fetch("a");
    expect((await stat(join(root, "data"))).mode & 0o077).toBe(0);
  });

  test("a dataset is fetched eight shards at a time", async () => {
    s3.putList("list", upload(Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`${n}`, `shard ${n}`]))));
    let open = (): void => undefined;
    const eight = new Promise<void>((resolve) => {
      open = resolve;
    });
    let begun = 0;
    s3.before = (key) => {
      if (key === "list") return;
      begun += 1;
      if (begun === 8) open();
      return eight;
    };
    expect(await fetch("a")).toBeUndefined();
    expect(s3.busiest).toBe(8);
  });

  test("the next job fetches only the shards that have changed", async () => {
    s3.putList("list", upload({ "0": "zero", "1": "one" }));
    await fetch("a");
    s3.requested.length = 0;
    s3.putList("list", upload({ "0": "zero", "1": "ONE" }));
    expect(await fetch("b")).toBeUndefined();
    expect(s3.requested).toEqual(["list", "vision/mnist/1"]);
    expect(await readFile(join(viewOf("b"), "mnist", "1"), "utf8")).toBe("ONE");
    expect(await readFile(join(viewOf("a"), "mnist", "1"), "utf8")).toBe("one");
    expect(lines.at(-1)).toContain("1 of them were on the node");
  });

  test("two jobs that begin together fetch a dataset once", async () => {
    s3.putList("list", upload(Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`${n}`, `shard ${n}`]))));
    expect(await Promise.all([fetch("a"), fetch("b")])).toEqual([undefined, undefined]);
    expect(s3.requested.filter((key) => key !== "list")).toHaveLength(30);
    expect(await readdir(join(viewOf("b"), "mnist"))).toHaveLength(30);
  });

  test("a job goes on fetching a dataset if the other job that fetches it is stopped", async () => {
    s3.putList("list", upload({ "0": "zero" }));
    const stopped = new AbortController();
    let second: ReturnType<typeof fetch> | undefined;
    // The companion begins while the first one's request is under way, so that it waits for that one.
    s3.before = async (key) => {
      if (key === "list" || second) return;
      second = fetch("b");
      await expect.poll(() => s3.requested.filter((each) => each === "list")).toHaveLength(2);
      stopped.abort();
      throw s3Error("AbortError", 0);
    };
    expect(await fetch("a", { signal: stopped.signal })).toMatchObject({ code: "stopped", retry: true });
    expect(await second).toBeUndefined();
    expect(await readFile(join(viewOf("b"), "mnist", "0"), "utf8")).toBe("zero");
  });

  test("a shard whose file was truncated is fetched again", async () => {
    s3.putList("list", upload({ "0": "zero" }));
    await fetch("a");
    const [name = ""] = await cached();
    await chmod(join(root, "data", "vision", "mnist", name), 0o600);
    await writeFile(join(root, "data", "vision", "mnist", name), "z");
    expect(await fetch("b")).toBeUndefined();
    expect(await readFile(join(viewOf("b"), "mnist", "0"), "utf8")).toBe("zero");
  });

  test("a shard that is no longer listed is removed when no job uses it, and a job's own files stay complete", async () => {
    s3.putList("list", upload({ "0": "zero", "1": "one" }));
    await fetch("a");
    s3.putList("list", upload({ "1": "one" }));
    await fetch("b");
    expect(await cached()).toHaveLength(2);
    await data.letGo(attempt("a"));
    expect(await cached()).toHaveLength(1);
    expect(await readFile(join(viewOf("a"), "mnist", "0"), "utf8")).toBe("zero");
    await data.letGo(attempt("b"));
    expect(await cached()).toHaveLength(1);
  });

  test("two shards with the same content are kept once", async () => {
    s3.putList("list", upload({ "a/0": "same", "b/0": "same" }));
    await fetch("a");
    expect(await cached()).toHaveLength(1);
    expect(await readFile(join(viewOf("a"), "mnist", "b", "0"), "utf8")).toBe("same");
  });

  test("incomplete files of a worker that died are removed", async () => {
    await mkdir(join(root, "data", "vision", "mnist"), { recursive: true });
    await writeFile(join(root, "data", "vision", "mnist", ".part-1"), "half");
    await writeFile(join(root, "data", "vision", "mnist", "whole"), "whole");
    await cache.clearParts();
    expect(await cached()).toEqual(["whole"]);
  });

  test("a node that has fetched no dataset reports none", () => {
    expect(data.fetched()).toBeUndefined();
  });

  test("a node reports the two hundred datasets that it fetched last", async () => {
    s3.putList("list", []);
    const tries = { clock, random: () => 0, signal: new AbortController().signal, most: 1 };
    const datasets = Array.from({ length: 201 }, (_, n) => ({ name: `set-${n}`, version: 7, list }));
    const order = { attempt: attempt("a"), datasets, folder: viewOf("a"), s3, tries, onLine: () => undefined };
    await data.fetch(order, await data.lists(order));
    expect(data.fetched()?.map(({ dataset }) => dataset)).toEqual(Array.from({ length: 200 }, (_, n) => `set-${n + 1}`));
  });

  test("the first shard that fails ends the fetches of the others", async () => {
    s3.putList("list", upload({ "0": "zero", "1": "one" }));
    const begun: string[] = [];
    const ended = Promise.withResolvers<void>();
    const order = {
      attempt: attempt("a"),
      datasets: [{ name: "mnist", version: 7, list }],
      folder: viewOf("a"),
      tries: { clock, random: () => 0, signal: new AbortController().signal, most: 3 },
      onLine: () => undefined,
      s3: {
        async send(command: unknown, { abortSignal }: { abortSignal?: AbortSignal } = {}) {
          if (!(command instanceof GetObjectCommand)) throw new Error("only gets here");
          const { Key: key = "" } = command.input;
          if (key === "list") return s3.send(command);
          begun.push(key);
          if (key.endsWith("/0")) {
            await expect.poll(() => begun).toHaveLength(2);
            throw s3Error("InvalidArgument", 400);
          }
          abortSignal?.addEventListener("abort", () => ended.resolve());
          await ended.promise;
          throw s3Error("AbortError", 0);
        },
      } as Pick<S3Client, "send">,
    };
    await expect(data.fetch(order, await data.lists(order))).rejects.toMatchObject({ retry: false });
    await ended.promise;
  });

  test("the progress of a dataset is reported every five seconds", async () => {
    s3.putList("list", upload({ "0": "zero", "1": "one" }));
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    s3.before = (key) => (key.endsWith("/1") ? gate : undefined);
    const fetching = fetch("a");
    await expect.poll(() => lines).toContain("[fleetwright: dataset mnist: 1 of 2 shards, 0.0 of 0.0 MiB]");
    open();
    expect(await fetching).toBeUndefined();
  });
});

describe("a shard that differs from its list", () => {
  test("a shard with wrong, missing or additional bytes is requested again, and fails if that does not help", async () => {
    s3.putList("list", upload({ "0": "zero" }));
    for (const spoiled of ["ZERO", "zer", "zero and more"]) {
      s3.requested.length = 0;
      s3.spoil = (body, key) => (key.endsWith("/0") ? Buffer.from(spoiled) : body);
      expect(await fetch("a")).toMatchObject({
        retry: true,
        message: expect.stringContaining("the shard vision/mnist/0 could not be fetched"),
      });
      expect(s3.requested.filter((key) => key !== "list")).toHaveLength(3);
      expect(await cached()).toEqual([]);
    }
    s3.spoil = (body) => body;
    expect(await fetch("a")).toBeUndefined();
  });

  test.each([
    ["ZERO", "its bytes have another MD5 than S3 reports"],
    ["zer", "only 3 of its 4 bytes arrived"],
    ["zero!", "it has more than the 4 bytes that were listed"],
  ])("the error about a shard that arrives as %j says what is wrong", async (spoiled, why) => {
    s3.putList("list", upload({ "0": "zero" }));
    s3.spoil = (body, key) => (key.endsWith("/0") ? Buffer.from(spoiled) : body);
    expect(await fetch("a")).toMatchObject({
      code: "shard",
      retry: true,
      message: `the shard vision/mnist/0 could not be fetched: ${why}`,
    });
  });

  test("a list and a shard without a body are requested again", async () => {
    s3.putList("list", upload({ "0": "zero" }));
    s3.bodiless = true;
    expect(await fetch("a")).toMatchObject({
      code: "shard-list",
      retry: true,
      message: "the list of shards list could not be fetched: S3 returned no body",
    });
    s3.before = (key) => {
      s3.bodiless = key !== "list";
    };
    s3.requested.length = 0;
    expect(await fetch("a")).toMatchObject({ code: "shard", retry: true, message: "S3 returned no body for vision/mnist/0" });
    expect(s3.requested).toEqual(["list", "vision/mnist/0", "vision/mnist/0", "vision/mnist/0"]);
  });

  test.each(["ENOSPC", "EDQUOT"])("a node whose disk is full (%s) fails the attempt, which another node may run", async (code) => {
    s3.putList("list", upload({ "0": "zero" }));
    s3.before = (key) => {
      if (key !== "list") throw Object.assign(new Error("write"), { code });
    };
    expect(await fetch("a")).toMatchObject({ code: "disk-full", retry: true, message: "the node's disk is full" });
    expect(s3.requested).toEqual(["list", "vision/mnist/0"]);
  });

  test("a shard whose ETag is not an MD5, because it has parts or is encrypted by KMS, is accepted", async () => {
    const parts = s3.put("vision/mnist/0", "in parts", { etag: "0a5e7c6c9ac0b44f2b2b6d5a8a1b3f11-2" });
    const kms = s3.put("vision/mnist/1", "encrypted", { etag: "0".repeat(32), encryption: "aws:kms" });
    s3.putList("list", [parts, kms]);
    expect(await fetch("a")).toBeUndefined();
    const wrong = s3.put("vision/mnist/2", "plain", { etag: "1".repeat(32) });
    s3.putList("list", [wrong]);
    expect(await fetch("b")).toMatchObject({ message: expect.stringContaining("another MD5") });
  });

  test.each<[string, (shard: Shard) => void, RegExp]>([
    ["was changed", (shard) => void s3.put(shard.key, "other"), /was changed or removed after its dataset was listed/],
    ["was removed", (shard) => void s3.objects.delete(shard.key), /was changed or removed/],
    [
      "may not be read",
      (shard) => {
        s3.before = (key) => {
          if (key === shard.key) throw s3Error("AccessDenied", 403);
        };
      },
      /was removed after its dataset was listed, or its bucket's policy/,
    ],
  ])("a shard that %s is requested once, because another attempt gets a newer list", async (_what, change, why) => {
    const [shard] = upload({ "0": "zero" });
    if (!shard) throw new Error("no shard");
    s3.putList("list", [shard]);
    change(shard);
    expect(await fetch("a")).toMatchObject({ retry: true, message: expect.stringMatching(why) });
    expect(s3.requested.filter((key) => key === shard.key)).toHaveLength(1);
  });

  test.each([
    ["it is archived", s3Error("InvalidObjectState", 403), "it is archived: restore it"],
    ["its key is disabled", s3Error("KMS.DisabledException", 400), "the KMS key that encrypts it is disabled or deleted"],
    ["it is in another region", s3Error("PermanentRedirect", 301), "its bucket is in another region"],
    ["S3 refuses the request", s3Error("InvalidArgument", 400), "S3 refused it (InvalidArgument"],
  ])("a shard fails permanently after one request because %s", async (_what, error, why) => {
    s3.putList("list", upload({ "0": "zero" }));
    s3.before = (key) => {
      if (key !== "list") throw error;
    };
    expect(await fetch("a")).toMatchObject({ retry: false, message: expect.stringContaining(why) });
    expect(s3.requested).toEqual(["list", "vision/mnist/0"]);
  });

  test("a dataset is fetched despite errors that pass", async () => {
    s3.putList("list", upload({ "0": "zero" }));
    let troubles = 0;
    s3.before = () => {
      troubles += 1;
      if (troubles === 1 || troubles === 3) throw s3Error("SlowDown", 503);
    };
    expect(await fetch("a")).toBeUndefined();
    expect(s3.requested).toEqual(["list", "list", "vision/mnist/0", "vision/mnist/0"]);
  });

  test("an attempt that is stopped does not wait for a list that never ends", async () => {
    const stopped = new AbortController();
    const begun = Promise.withResolvers<void>();
    const silent = new Readable({ read: () => begun.resolve() });
    const order = {
      attempt: attempt("a"),
      datasets: [{ name: "mnist", version: 7, list }],
      s3: { send: async () => ({ Body: silent }) },
      tries: { clock, random: () => 0, signal: stopped.signal, most: 3 },
    };
    const lists = data.lists(order).catch((error: unknown) => error);
    await begun.promise;
    stopped.abort();
    expect(await lists).toMatchObject({ code: "shard-list", retry: true });
    expect(silent.destroyed).toBe(true);
  });

  test("a list that is invalid or missing may be retried", async () => {
    s3.put("list", "no gzip");
    expect(await fetch("a")).toMatchObject({
      retry: true,
      message: expect.stringContaining("the list of shards list could not be read"),
    });
    expect(await fetch("a", { key: "nowhere" })).toMatchObject({
      retry: true,
      message: expect.stringContaining("the list of shards nowhere could not be fetched"),
    });
  });
});

describe("a key that would leave the job's folder", () => {
  test.each(["../x", "a/../../x", "a//b", "./x", "a/./b", "a\0b", "/x", `${"n".repeat(256)}`])(
    "a key that would leave the job's folder is refused: %j",
    async (path) => {
      s3.putList("list", [s3.put(`vision/mnist/${path}`, "x")]);
      expect(await fetch("a")).toMatchObject({ retry: false, message: expect.stringContaining("cannot be shown to the job as a file") });
      expect(await readdir(join(root, "attempts")).catch(() => [])).toEqual([]);
    },
  );

  test("a key outside the prefix, or one that is both file and folder, is refused", async () => {
    s3.putList("list", [s3.put("vision/other/x", "x")]);
    expect(await fetch("a")).toMatchObject({ message: expect.stringContaining("it is not below vision/mnist/") });
    for (const keys of [
      ["a", "a/b"],
      ["a/b", "a"],
    ]) {
      s3.putList(
        "list",
        keys.map((path) => s3.put(`vision/mnist/${path}`, "x")),
      );
      expect(await fetch("a")).toMatchObject({ retry: false });
    }
  });
});

describe("a disk", () => {
  test("a disk that is too small is reported with what would help", async () => {
    s3.putList("list", upload({ "0": "zero" }));
    freeBytes = 1024 ** 3;
    expect(await fetch("a")).toMatchObject({
      code: "disk-full",
      retry: true,
      message: expect.stringMatching(/mnist needs 0\.0 GiB more and the node's disk has 0\.0 free; .*"volumeGiB"/),
    });
  });

  test.each([
    ["more than is free may fit on another node", 20.5, true],
    ["as much as a whole disk has fits on no node of the pool", 1024, false],
  ])("a dataset that needs %s, and 1 GiB is kept for the files of jobs", async (_what, needGib, retry) => {
    s3.putList("list", [{ key: "vision/mnist/0", bytes: needGib * 1024 ** 3, etag: "e" }]);
    freeBytes = 6.2 * 1024 ** 3;
    const message = `mnist needs ${needGib.toFixed(1)} GiB more and the node's disk has 5.2 free; `;
    expect(await fetch("a")).toMatchObject({ code: "disk-full", retry, message: expect.stringContaining(message) });
    expect(s3.requested).toEqual(["list"]);
  });

  test("a dataset may fill a disk up to the last byte of the 1 GiB that is kept free", async () => {
    s3.putList("list", upload({ "0": "zero" }));
    freeBytes = 1024 ** 3 + 3;
    expect(await fetch("a")).toMatchObject({ code: "disk-full" });
    freeBytes = 1024 ** 3 + 4;
    expect(await fetch("a")).toBeUndefined();
  });

  test("files that no job uses are removed to make room on the disk", async () => {
    await mkdir(join(root, "data", "vision", "old"), { recursive: true });
    await writeFile(join(root, "data", "vision", "old", "x"), "x");
    s3.putList("list", upload({ "0": "zero" }));
    cache = new ShardCache(root, async () => ({
      freeBytes: (await readdir(join(root, "data", "vision"))).includes("old") ? 0 : plenty,
      totalBytes: plenty,
    }));
    data = new NodeData(cache);
    expect(await fetch("a")).toBeUndefined();
    expect(await readdir(join(root, "data", "vision"))).toEqual(["mnist"]);
  });

  test("older shards of the same dataset are removed to make room on the disk", async () => {
    s3.putList("list", upload({ "0": "zero", "1": "one" }));
    cache = new ShardCache(root, async () => ({ freeBytes: (await cached()).length > 1 ? 0 : plenty, totalBytes: plenty }));
    data = new NodeData(cache);
    expect(await fetch("a")).toBeUndefined();
    await data.letGo(attempt("a"));
    s3.putList("list", upload({ "1": "one", "2": "two" }));
    expect(await fetch("b")).toBeUndefined();
    expect(await readdir(join(viewOf("b"), "mnist"))).toEqual(["1", "2"]);
  });
});

describe("a file that two jobs fetch", () => {
  const shard: Shard = { key: "vision/mnist/0", bytes: 1, etag: "e" };
  /** Begins to fetch the shard's file, and returns what the test needs to go on with it. */
  async function underWay() {
    await cache.hold({ team: "vision", dataset: "mnist" }, "a", [shard]);
    const file = cache.fileOf({ team: "vision", dataset: "mnist" }, shard);
    const gate = Promise.withResolvers<void>();
    let fetches = 0;
    const have = (signal: AbortSignal): Promise<void> =>
      cache.have(file, shard, {
        signal,
        fetch: async () => {
          fetches += 1;
          await gate.promise;
          await writeFile(file, "x");
        },
      });
    const first = have(new AbortController().signal);
    await expect.poll(() => fetches).toBe(1);
    return { have, first, gate, fetches: () => fetches };
  }

  test("a second job waits for the fetch that is under way, and does not begin another", async () => {
    const { have, first, gate, fetches } = await underWay();
    let isThere = false;
    const second = have(new AbortController().signal).then(() => {
      isThere = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isThere).toBe(false);
    gate.resolve();
    await Promise.all([first, second]);
    expect(fetches()).toBe(1);
  });

  test("a second job begins to fetch a file itself if the first one fails", async () => {
    const { have, first, gate, fetches } = await underWay();
    const second = have(new AbortController().signal);
    gate.reject(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    await expect(second).rejects.toThrow("gone");
    expect(fetches()).toBe(2);
  });

  test("a job that is stopped while it waits for another job's fetch ends at once", async () => {
    const { have, first, gate } = await underWay();
    const stopped = new AbortController();
    const second = have(stopped.signal);
    stopped.abort();
    await expect(second).rejects.toMatchObject({ code: "stopped", retry: true });
    gate.resolve();
    await first;
  });
});

describe("files that are being removed", () => {
  const shards = Array.from({ length: 100 }, (_, n): Shard => ({ key: `vision/mnist/${n}`, bytes: 1, etag: `e${n}` }));
  const mnist = { team: "vision", dataset: "mnist" };
  /** Returns the shards that the cache reported as present but that do not exist. */
  async function lacking(missing: readonly Shard[]): Promise<Shard[]> {
    const there = new Set((await cached().catch(() => [])).map((name) => join(root, "data", "vision", "mnist", name)));
    return shards.filter((shard) => !missing.includes(shard) && !there.has(cache.fileOf(mnist, shard)));
  }
  const turns = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const moments = Array.from({ length: 12 }, (_, n) => n * 3);

  test.each(moments)("a file that is being removed for a job that lets go is not promised to another job %i turns later", async (later) => {
    await cache.hold(mnist, "a", shards);
    for (const shard of shards) await writeFile(cache.fileOf(mnist, shard), "x");
    await cache.hold(mnist, "b", []);
    await cache.letGo("b");
    const gone = cache.letGo("a");
    await turns(later);
    const missing = await cache.hold(mnist, "c", shards);
    await gone;
    expect(await lacking(missing)).toEqual([]);
  });

  test.each(moments)("a file that is being removed to make room is not promised to another job %i turns later", async (later) => {
    await cache.hold(mnist, "a", shards);
    for (const shard of shards) await writeFile(cache.fileOf(mnist, shard), "x");
    await cache.letGo("a");
    freeBytes = 0;
    const refused = cache.hold({ team: "vision", dataset: "cifar" }, "b", shards).catch((error: unknown) => error);
    await turns(later);
    freeBytes = plenty;
    const missing = await cache.hold(mnist, "c", shards);
    await refused;
    expect(await lacking(missing)).toEqual([]);
    expect((await stat(join(root, "data", "vision", "mnist"))).isDirectory()).toBe(true);
  });
});

test("a job sees the node's own files rather than copies", async () => {
  s3.putList("list", upload({ "0": "zero" }));
  await fetch("a");
  const [name = ""] = await cached();
  const [one, two] = await Promise.all([stat(join(root, "data", "vision", "mnist", name)), stat(join(viewOf("a"), "mnist", "0"))]);
  expect(two.ino).toBe(one.ino);
  await expect(link(join(viewOf("a"), "mnist", "0"), join(viewOf("a"), "mnist", "0"))).rejects.toThrow("EEXIST");
});

const memoryFolder = "/dev/shm";
const isOther = await Promise.all([stat(memoryFolder), stat(tmpdir())]).then(
  ([one, two]) => one.dev !== two.dev,
  () => false,
);
test.runIf(isOther)("a job sees read-only copies of files that cannot be linked, because they are on another file system", async () => {
  const elsewhere = await mkdtemp(join(memoryFolder, "fw-view-"));
  await writeFile(join(elsewhere, "x"), "zero");
  const folder = join(root, "view");
  const shard = { key: "vision/mnist/0", bytes: 4, etag: "e" };
  await makeView({ folder, source: { bucket: "data", prefix: "vision/mnist/" }, shards: [shard], fileOf: () => join(elsewhere, "x") });
  expect(await readFile(join(folder, "0"), "utf8")).toBe("zero");
  expect((await stat(join(folder, "0"))).mode & 0o777).toBe(0o444);
  const missing = makeView({ folder, source: { bucket: "data", prefix: "" }, shards: [shard], fileOf: () => join(elsewhere, "y") });
  await expect(missing).rejects.toMatchObject({ code: "ENOENT" });
  await rm(elsewhere, { recursive: true });
});
