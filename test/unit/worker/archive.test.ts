import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { create } from "tar";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { archiveInspector, archiveLimits } from "../../../lib/model/files/archive-entry.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { unpack } from "../../../lib/worker/code/archive.ts";
import { type CraftedEntry, craftTar, writeArchive } from "./archives.ts";

let folder: string;
let work: string;
let archive: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-archive-"));
  work = join(folder, "work");
  archive = join(folder, "code.tar.gz");
  await mkdir(work);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const limits = { ...archiveLimits, unpackedBytes: 1_000_000, entries: 100 };

async function refusal(entries: readonly CraftedEntry[]): Promise<string> {
  await writeArchive(archive, entries);
  const error = await unpack(archive, { folder: work, limits }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FleetError);
  // Nothing outside the working directory may be touched.
  expect((await readdir(folder)).sort()).toEqual(["code.tar.gz", "work"]);
  return error instanceof FleetError && !error.retry ? error.message : "";
}

describe("a valid archive", () => {
  test("a valid archive is unpacked with its folders and modes", async () => {
    const source = join(folder, "source");
    await mkdir(join(source, "bin"), { recursive: true });
    await writeFile(join(source, "train.py"), "print('hello')\n");
    await writeFile(join(source, "bin", "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
    await create({ gzip: true, file: archive, cwd: source }, ["."]);
    await rm(source, { recursive: true });
    await unpack(archive, { folder: work, limits });
    expect(await readFile(join(work, "train.py"), "utf8")).toBe("print('hello')\n");
    expect((await lstat(join(work, "bin", "run.sh"))).mode & 0o777).toBe(0o755);
  });

  test("a valid archive may contain links that stay inside, and loses its set-uid bits", async () => {
    await writeArchive(archive, [
      { path: "models/v1/weights", body: "w" },
      { path: "models/latest", type: "SymbolicLink", linkpath: "v1" },
      { path: "models/v1/up", type: "SymbolicLink", linkpath: "../../data" },
      { path: "same", type: "Link", linkpath: "models/v1/weights" },
      { path: "tool", body: "t", mode: 0o6755 },
    ]);
    await unpack(archive, { folder: work, limits });
    expect(await readlink(join(work, "models/latest"))).toBe("v1");
    expect(await readFile(join(work, "same"), "utf8")).toBe("w");
    expect((await lstat(join(work, "tool"))).mode & 0o7777).toBe(0o755);
  });

  test.skipIf(process.getuid?.() !== 0)("unpacked files, links and their parent folders belong to the job's user", async () => {
    await writeArchive(archive, [
      { path: "a/b/c", body: "x" },
      { path: "d/", type: "Directory" },
      { path: "l", type: "SymbolicLink", linkpath: "a" },
    ]);
    await unpack(archive, { folder: work, limits, owner: { uid: 4321, gid: 1234 } });
    for (const path of ["a", "a/b", "a/b/c", "d", "l"]) expect(await lstat(join(work, path)), path).toMatchObject({ uid: 4321, gid: 1234 });
  });
});

describe("an archive that is refused", () => {
  test.each<[string, CraftedEntry[], string]>([
    ["climbs out of the folder", [{ path: "../evil", body: "x" }], "outside"],
    ["climbs out of the folder by a detour", [{ path: "a/../../evil", body: "x" }], "outside"],
    ["has an absolute path", [{ path: "/tmp/fw-evil", body: "x" }], "outside"],
    ["has a link to the outside", [{ path: "out", type: "SymbolicLink", linkpath: "../.." }], "points outside"],
    ["has an absolute link", [{ path: "out", type: "SymbolicLink", linkpath: "/etc/passwd" }], "points outside"],
    ["has a hard link to the outside", [{ path: "out", type: "Link", linkpath: "../secret" }], "points outside"],
    ["has an absolute hard link", [{ path: "out", type: "Link", linkpath: "/etc/passwd" }], "points outside"],
    [
      "writes through a link",
      [
        { path: "d/x", body: "1" },
        { path: "l", type: "SymbolicLink", linkpath: "d" },
        { path: "l/evil", body: "x" },
      ],
      "through a link",
    ],
    [
      "has links that lead outside only together",
      [
        { path: "d/e/up", type: "SymbolicLink", linkpath: "../.." },
        { path: "z", type: "SymbolicLink", linkpath: "d/e/up/.." },
      ],
      "points outside",
    ],
    ["has a device", [{ path: "null", type: "CharacterDevice" }], "CharacterDevice"],
    ["has a pipe", [{ path: "pipe", type: "FIFO" }], "FIFO"],
    ["has too many folders", [{ path: `${"d/".repeat(120)}f`, body: "" }], "more than 100 folders"],
    ["has too many entries", Array.from({ length: 101 }, (_, n) => ({ path: `f${n}`, body: "" })), "more than 100 entries"],
    ["unpacks to too many bytes in one file", [{ path: "big", body: Buffer.alloc(1_000_001) }], "more than 1000000 bytes"],
    [
      "unpacks to too many bytes in several files",
      Array.from({ length: 11 }, (_, n) => ({ path: `f${n}`, body: Buffer.alloc(100_000) })),
      "more than 1000000 bytes",
    ],
    ["claims too many bytes", [{ path: "big", body: "", claims: 8_000_000_000 }], "more than 1000000 bytes"],
  ])("an archive is refused if it %s", async (_name, entries, why) => {
    expect(await refusal(entries)).toContain(why);
  });

  test("a file is refused if it is not an archive, is cut off, or is a bomb without entries", async () => {
    const whole = gzipSync(craftTar([{ path: "a", body: Buffer.alloc(100_000, 7) }]));
    const bomb = gzipSync(Buffer.alloc(3_000_000));
    for (const [bytes, why] of [
      [Buffer.from("hello"), "not a complete .tar.gz"],
      [Buffer.alloc(0), "not a complete .tar.gz"],
      [gzipSync("hello, this is no tar archive"), "not a complete .tar.gz"],
      [whole.subarray(0, whole.length - 30), "not a complete .tar.gz"],
      [gzipSync(craftTar([{ path: "a", body: Buffer.alloc(100_000, 7) }]).subarray(0, 50_000)), "not a complete .tar.gz"],
      [bomb, "more than 1000000 bytes"],
    ] as const) {
      await writeFile(archive, bytes);
      await expect(unpack(archive, { folder: work, limits })).rejects.toThrow(why);
    }
  });
});

test("an archive with a path through more than 255 folders is refused at once, because each entry is compared with all its parents", () => {
  const deep = (folders: number): string => `${"d/".repeat(folders)}x`;
  const inspect = archiveInspector(limits);
  expect(inspect({ path: "l", type: "SymbolicLink", linkpath: "d", size: 0 })).toBeUndefined();
  for (const type of ["File", "Directory", "SymbolicLink"]) {
    expect(inspect({ path: deep(255), type, linkpath: "d", size: 0 })).toBeUndefined();
    expect(inspect({ path: deep(256), type, linkpath: "d", size: 0 })).toContain("more than 255 folders");
  }
  expect(inspect({ path: "h", type: "Link", linkpath: deep(256), size: 0 })).toContain("more than 255 folders");
});

test("a path that was a link counts as a link even after another entry replaced it", () => {
  const inspect = archiveInspector(limits);
  expect(inspect({ path: "l", type: "SymbolicLink", linkpath: "d", size: 0 })).toBeUndefined();
  expect(inspect({ path: "l", type: "Directory", size: 0 })).toBeUndefined();
  expect(inspect({ path: "l/x", type: "File", size: 0 })).toContain("through a link");
});
