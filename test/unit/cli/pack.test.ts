import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { list } from "tar";
import { afterEach, beforeEach, expect, it } from "vitest";
import { UsageError } from "../../../lib/cli/invocation/exit.ts";
import { withPacked } from "../../../lib/cli/pack/archive.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleetwright-folder-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(files: Readonly<Record<string, string>>, at = folder): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(at, path)), { recursive: true });
    await writeFile(join(at, path), content);
  }
}

const sha256 = async (file: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(file))
    .digest("hex");

async function entries(file: string): Promise<string[]> {
  const found: string[] = [];
  await list({ file, onReadEntry: ({ path }) => void found.push(path) });
  return found;
}

it("packing excludes the files that are never packed and those that .fleetignore names", async () => {
  await put({
    "train.py": "print(1)",
    "lib/net.py": "x",
    "@odd.txt": "y",
    ".env": "z",
    ".git/HEAD": "ref",
    "lib/__pycache__/net.pyc": "c",
    "data/big.bin": "b".repeat(1000),
    "data/keep.txt": "k",
    "run.log": "l",
    ".fleetignore": "*.log\ndata/*\n!data/keep.txt\n",
  });
  await symlink("lib/net.py", join(folder, "net.py"));
  await withPacked(folder, {}, async (packed) => {
    expect(packed).toMatchObject({ files: 7, bytes: 8 + 1 + 1 + 1 + 1 + 28, leftOut: [] });
    const paths = [".env", ".fleetignore", "@odd.txt", "data/", "data/keep.txt", "lib/", "lib/net.py", "net.py", "train.py"];
    expect(await entries(packed.file)).toEqual(paths);
    expect(packed.packedBytes).toBe((await readFile(packed.file)).length);
  });
});

it("packing gives the same bytes for the same content, whatever its times and owners", async () => {
  const other = await mkdtemp(join(tmpdir(), "fleetwright-folder-"));
  try {
    await put({ "b.py": "b", "a/a.py": "a" });
    await put({ "a/a.py": "a", "b.py": "b" }, other);
    await utimes(join(other, "b.py"), 1, 1);
    await chmod(join(other, "b.py"), 0o664);
    const [one, two] = [await withPacked(folder, {}, ({ file }) => sha256(file)), await withPacked(other, {}, ({ file }) => sha256(file))];
    expect(two).toBe(one);
    await put({ "b.py": "B" }, other);
    expect(await withPacked(other, {}, ({ file }) => sha256(file))).not.toBe(one);
  } finally {
    await rm(other, { recursive: true });
  }
});

it("packing removes the archive after the work, even if the work fails", async () => {
  await put({ "a.py": "a" });
  const file = await withPacked(folder, {}, async (packed) => packed.file);
  expect(existsSync(dirname(file))).toBe(false);
  let failed = "";
  const failing = withPacked(folder, {}, async (packed) => {
    failed = packed.file;
    throw new Error("no upload");
  });
  await expect(failing).rejects.toThrow("no upload");
  expect(failed).not.toBe("");
  expect(existsSync(dirname(failed))).toBe(false);
});

it.each([
  ["an empty folder", {}, undefined, /has no file to pack/],
  ["a folder whose files are all excluded", { ".fleetignore": "*" }, undefined, /check what \.gitignore and \.fleetignore exclude/],
  [
    "a folder that is too large",
    { "a.bin": "q" },
    { maxBytes: 20 },
    /more than 20 bytes packed; exclude data and results with a \.fleetignore.*as a dataset/,
  ],
])("packing refuses %s, with advice", async (_what, files, options, message) => {
  await put(files);
  const refused = withPacked(folder, options ?? {}, async () => "packed");
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(message);
});

it("packing refuses a path that is not a folder", async () => {
  await put({ "a.py": "a" });
  await expect(withPacked(join(folder, "a.py"), {}, async () => "packed")).rejects.toThrow(/is a file; --workdir takes the folder/);
  await expect(withPacked(join(folder, "b"), {}, async () => "packed")).rejects.toThrow(/there is no folder/);
});
