import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { create } from "tar";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Fault } from "../../../lib/model/fault.ts";
import { archiveInspector, archiveLimits } from "../../../lib/model/files/archive-entry.ts";
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
  expect(error).toBeInstanceOf(Fault);
  // Only the attempt's folder was ever touched.
  expect((await readdir(folder)).sort()).toEqual(["code.tar.gz", "work"]);
  return error instanceof Fault && !error.retry ? error.message : "";
}

describe("an honest archive", () => {
  test("is unpacked as it was packed: folders, modes, links", async () => {
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

  test("may hold links that stay inside, and loses its set-uid bits", async () => {
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

  test.skipIf(process.getuid?.() !== 0)("belongs to the job's user, links and the folders above files as well", async () => {
    await writeArchive(archive, [
      { path: "a/b/c", body: "x" },
      { path: "d/", type: "Directory" },
      { path: "l", type: "SymbolicLink", linkpath: "a" },
    ]);
    await unpack(archive, { folder: work, limits, owner: { uid: 4321, gid: 1234 } });
    for (const path of ["a", "a/b", "a/b/c", "d", "l"]) expect(await lstat(join(work, path)), path).toMatchObject({ uid: 4321, gid: 1234 });
  });
});

describe("an archive is refused", () => {
  test.each<[string, CraftedEntry[], string]>([
    ["that climbs out", [{ path: "../evil", body: "x" }], "outside"],
    ["that climbs out on a detour", [{ path: "a/../../evil", body: "x" }], "outside"],
    ["with an absolute path", [{ path: "/tmp/fw-evil", body: "x" }], "outside"],
    ["with a link out", [{ path: "out", type: "SymbolicLink", linkpath: "../.." }], "points outside"],
    ["with an absolute link", [{ path: "out", type: "SymbolicLink", linkpath: "/etc/passwd" }], "points outside"],
    ["with a hard link out", [{ path: "out", type: "Link", linkpath: "../secret" }], "points outside"],
    ["with an absolute hard link", [{ path: "out", type: "Link", linkpath: "/etc/passwd" }], "points outside"],
    [
      "that writes through a link",
      [
        { path: "d/x", body: "1" },
        { path: "l", type: "SymbolicLink", linkpath: "d" },
        { path: "l/evil", body: "x" },
      ],
      "through a link",
    ],
    [
      "whose links only together lead out",
      [
        { path: "d/e/up", type: "SymbolicLink", linkpath: "../.." },
        { path: "z", type: "SymbolicLink", linkpath: "d/e/up/.." },
      ],
      "points outside",
    ],
    ["with a device", [{ path: "null", type: "CharacterDevice" }], "CharacterDevice"],
    ["with a pipe", [{ path: "pipe", type: "FIFO" }], "FIFO"],
    ["with too many folders", [{ path: `${"d/".repeat(120)}f`, body: "" }], "more than 100 folders"],
    ["with too many entries", Array.from({ length: 101 }, (_, n) => ({ path: `f${n}`, body: "" })), "more than 100 entries"],
    ["that unpacks to too much", [{ path: "big", body: Buffer.alloc(1_000_001) }], "more than 1000000 bytes"],
    [
      "that unpacks to too much bit by bit",
      Array.from({ length: 11 }, (_, n) => ({ path: `f${n}`, body: Buffer.alloc(100_000) })),
      "more than 1000000 bytes",
    ],
    ["that claims too much", [{ path: "big", body: "", claims: 8_000_000_000 }], "more than 1000000 bytes"],
  ])("%s", async (_name, entries, why) => {
    expect(await refusal(entries)).toContain(why);
  });

  test("that is no archive, is cut off, or is a bomb of nothing", async () => {
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

test("what was a link counts as one for good, whatever takes its place", () => {
  const inspect = archiveInspector(limits);
  expect(inspect({ path: "l", type: "SymbolicLink", linkpath: "d", size: 0 })).toBeUndefined();
  expect(inspect({ path: "l", type: "Directory", size: 0 })).toBeUndefined();
  expect(inspect({ path: "l/x", type: "File", size: 0 })).toContain("through a link");
});
