import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DatasetFiles } from "../../../lib/aws/datasets/dataset-files.ts";
import { summaryLines, uploadDataset } from "../../../lib/cli/commands/dataset-upload.ts";
import { aDatasetView } from "./api-samples.ts";
import { aContext, type FakeApi, startFakeApi } from "./fake-api.ts";

const team = "research";

let folder: string;
let api: FakeApi;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleetwright-data-"));
  api = await startFakeApi({ [`PUT /v1/teams/${team}/datasets/images`]: { status: 201, body: aDatasetView() } });
});
afterEach(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

const write = async (contents: Readonly<Record<string, string>>): Promise<void> => {
  for (const [path, content] of Object.entries(contents)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
};

/** A team's dataset in memory, with the content instead of an ETag. `bad`: paths that S3 refuses. */
function memoryFiles(there: Readonly<Record<string, string>> = {}, bad: ReadonlySet<string> = new Set()) {
  const objects = new Map(Object.entries(there));
  const sent: string[] = [];
  const files: DatasetFiles = {
    list: async () => [...objects].map(([path, content]) => ({ path, bytes: Buffer.byteLength(content), etag: content })),
    isSame: async (stored, file) => stored.etag === (await text(file.open())),
    put: async (_of, { path, open }, onBytes) => {
      const content = await text(open());
      if (bad.has(path)) throw Object.assign(new Error("no"), { name: "AccessDenied", $metadata: { httpStatusCode: 403 } });
      onBytes?.(content.length);
      objects.set(path, content);
      sent.push(path);
    },
    remove: async (_of, paths) => {
      for (const path of paths) objects.delete(path);
      return [];
    },
  };
  return { files, objects, sent };
}

const start = (store: { files: DatasetFiles }) => aContext(api, { files: store.files });
const upload = (context: ReturnType<typeof aContext>, options: object = {}) =>
  uploadDataset("images", folder, { ...context.on, options: { team, ...options } });

describe("fleet dataset upload", () => {
  it("fleet dataset upload sends the files that .fleetignore does not exclude, and adds the dataset", async () => {
    await write({ "a/1.bin": "one", "2.bin": "two", "notes.txt": "no", ".fleetignore": "*.txt\n.fleetignore\n" });
    const store = memoryFiles();
    const context = start(store);
    expect(await upload(context)).toBe(0);
    expect(Object.fromEntries(store.objects)).toEqual({ "a/1.bin": "one", "2.bin": "two" });
    expect(api.calls.at(-1)?.body).toEqual({ source: "s3://data/research/images/", replace: false });
    expect(context.printed.note[0]).toBe("uploaded 2 (6 bytes), unchanged 0, removed 0");
  });

  it("fleet dataset upload sends only files that have changed, even if their size is the same", async () => {
    await write({ same: "x", grown: "longer", edited: "new" });
    const store = memoryFiles({ same: "x", grown: "l", edited: "old" });
    const context = start(store);
    expect(await upload(context)).toBe(0);
    expect(store.sent.toSorted()).toEqual(["edited", "grown"]);
    expect(context.printed.note[0]).toBe("uploaded 2 (9 bytes), unchanged 1, removed 0");
    expect(await upload(context)).toBe(0);
    expect(store.sent).toHaveLength(2);
  });

  it("fleet dataset upload names files that are no longer in the folder, and removes them with --delete", async () => {
    await write({ a: "a" });
    const store = memoryFiles({ a: "a", "old/b": "b", c: "c" });
    const context = start(store);
    expect(await upload(context)).toBe(0);
    expect(context.printed.note).toContain("2 files no longer in the folder remain in the dataset: c, old/b; --delete removes them");
    expect(store.objects.size).toBe(3);
    expect(await upload(context, { delete: true })).toBe(0);
    expect([...store.objects.keys()]).toEqual(["a"]);
    expect(context.printed.note).toContain("uploaded 0 (0 bytes), unchanged 1, removed 2");
  });

  it("fleet dataset upload --dry-run prints what it would do, and does nothing", async () => {
    await write({ a: "a", b: "new" });
    const store = memoryFiles({ a: "a", gone: "x" });
    const context = start(store);
    expect(await upload(context, { delete: true, dryRun: true })).toBe(0);
    expect(context.printed.out).toEqual(["upload b", "remove gone"]);
    expect(context.printed.note[0]).toBe("would upload 1 (3 bytes), leave 1 unchanged, remove 1");
    expect(await upload(context, { dryRun: true, json: true })).toBe(0);
    expect(JSON.parse(context.printed.out.at(-1) ?? "")).toMatchObject({
      dryRun: true,
      upload: ["b"],
      unchanged: 1,
      remove: [],
      remaining: ["gone"],
    });
    expect([store.sent, [...store.objects.keys()], api.calls]).toEqual([[], ["a", "gone"], []]);
  });

  it("fleet dataset upload sends the other files if one fails, removes nothing, and exits with 1; a repetition sends the rest", async () => {
    await write({ a: "a", b: "b", c: "c" });
    const bad = new Set(["b"]);
    const store = memoryFiles({ gone: "x" }, bad);
    const context = start(store);
    expect(await upload(context, { delete: true })).toBe(1);
    expect(store.sent.toSorted()).toEqual(["a", "c"]);
    const note = context.printed.note.join("\n");
    expect(note).toContain("1 file failed:");
    expect(note).toContain("  b: S3 refused it (AccessDenied: no)");
    expect(note).toContain("gone; nothing is removed because files failed");
    expect(api.calls).toEqual([]);

    bad.clear();
    expect(await upload(context, { delete: true, json: true })).toBe(0);
    expect(store.sent.toSorted()).toEqual(["a", "b", "c"]);
    expect(JSON.parse(context.printed.out.at(-1) ?? "")).toMatchObject({
      dataset: "images",
      upload: { uploaded: 1, unchanged: 2, removed: 1 },
    });
  });

  it("fleet dataset upload --delete names files that could not be removed, and does not count them as removed", async () => {
    await write({ a: "a" });
    const store = memoryFiles({ a: "a", b: "b", c: "c" });
    const remove: DatasetFiles["remove"] = async () => [{ path: "b", because: "AccessDenied" }];
    const { on, printed } = start({ files: { ...store.files, remove } });
    expect(await uploadDataset("images", folder, { ...on, options: { team, delete: true } })).toBe(1);
    expect(printed.note).toEqual([
      "uploaded 0 (0 bytes), unchanged 1, removed 1",
      "1 file failed:",
      "  b: it could not be removed: AccessDenied",
      "run the command again to send the rest; files that are already there are not sent again",
      "1 file no longer in the folder remains in the dataset: b; nothing is removed because files failed",
    ]);
    expect(api.calls).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)("fleet dataset upload names a file that cannot be read", async () => {
    await write({ secret: "x" });
    await chmod(join(folder, "secret"), 0o000);
    const context = start(memoryFiles());
    expect(await upload(context)).toBe(1);
    expect(context.printed.note.join("\n")).toContain("  secret: you have no permission to read it");
  });

  it("fleet dataset upload gives up after very many failures", async () => {
    const names = Array.from({ length: 150 }, (_, n) => `f${n}`);
    await write(Object.fromEntries(names.map((name) => [name, name])));
    const { files } = memoryFiles({}, new Set(names));
    // Files fail one after the other.
    let turn: Promise<unknown> = Promise.resolve();
    const put: DatasetFiles["put"] = (...of) => {
      const done = turn.then(() => files.put(...of));
      turn = done.catch(() => new Promise((resolve) => setImmediate(resolve)));
      return done;
    };
    const context = start({ files: { ...files, put } });
    expect(await upload(context)).toBe(1);
    // The other seven were under way when the hundredth failed.
    expect(context.printed.note.join("\n")).toMatch(
      /^.*\n107 files failed:\n(.*\n){10}and 97 more\n43 files not tried, because too many failed/,
    );
  });

  it("fleet dataset upload refuses an invalid name, a folder that does not exist, and an empty folder", async () => {
    const { on } = start(memoryFiles());
    const options = { team };
    await expect(uploadDataset("Images", folder, { ...on, options })).rejects.toThrow(/Images is not a valid name of a dataset/);
    await expect(uploadDataset("images", join(folder, "b"), { ...on, options })).rejects.toThrow(/there is no folder/);
    await expect(uploadDataset("images", folder, { ...on, options })).rejects.toThrow(/contains no files/);
  });
});

it.each<[string, Partial<Parameters<typeof summaryLines>[0]>, boolean, readonly string[]]>([
  ["nothing else if all files were sent", {}, false, []],
  [
    "the files that failed, and those that were not tried",
    { failed: [{ path: "a", because: "denied" }], untried: 2 },
    false,
    [
      "1 file failed:",
      "  a: denied",
      "2 files not tried, because too many failed",
      "run the command again to send the rest; files that are already there are not sent again",
    ],
  ],
  [
    "that a file remains in the dataset",
    { remaining: ["old"] },
    false,
    ["1 file no longer in the folder remains in the dataset: old; --delete removes it"],
  ],
  [
    "why files remain in the dataset although they should be removed",
    { remaining: ["old", "older"] },
    true,
    ["2 files no longer in the folder remain in the dataset: old, older; nothing is removed because files failed"],
  ],
])("the summary of an upload says %s", (_what, over, removes, rest) => {
  const synced = {
    uploaded: ["x"],
    uploadedBytes: 2_048,
    unchanged: 3,
    removed: ["y", "z"],
    remaining: [],
    failed: [],
    untried: 0,
    ...over,
  };
  expect(summaryLines(synced, removes)).toEqual(["uploaded 1 (2 KiB), unchanged 3, removed 2", ...rest]);
});
