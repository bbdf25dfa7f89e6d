import { execFileSync, spawnSync } from "node:child_process";
import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { archiveLimits } from "../../../lib/model/files/archive-entry.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { unpack } from "../../../lib/worker/code/archive.ts";
import { file, folder, harvest, link, plant } from "../cli/byte-tree.ts";
import { type CraftedEntry, craftTar } from "./archives.ts";

let root: string;
let work: string;
let archive: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "fw-foreign-"));
  work = join(root, "work");
  archive = join(root, "code.tar.gz");
  mkdirSync(work);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function unpacked(gz: Buffer): Promise<ReturnType<typeof harvest>> {
  writeFileSync(archive, gz);
  await unpack(archive, { folder: work, limits: archiveLimits });
  return harvest(work);
}

async function refusal(gz: Buffer): Promise<string> {
  const error = await unpacked(gz).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FleetError);
  return error instanceof FleetError ? error.message : "";
}

const crafted = (...entries: readonly CraftedEntry[]): Buffer => gzipSync(craftTar(entries));
/** Returns a record of a POSIX extended header. */
const record = (key: string, value: string): Buffer => {
  const rest = Buffer.from(` ${key}=${value}\n`, "latin1");
  const length = [rest.length + 1, rest.length + 2, rest.length + 3].find((n) => String(n).length + rest.length === n);
  return Buffer.concat([Buffer.from(String(length)), rest]);
};
const pax = (...records: readonly (readonly [string, string])[]): CraftedEntry => ({
  path: "PaxHeaders/x",
  type: "ExtendedHeader",
  body: Buffer.concat(records.map(([key, value]) => record(key, value))),
});

describe("archives of other programs", () => {
  test.each<[string, CraftedEntry[], Record<string, object>]>([
    ["a name that looks like one with a drive letter", [{ path: "w:0.npy", body: "x" }], { "w:0.npy": file("x") }],
    ["a name with a backslash", [{ path: "logs\\events.txt", body: "x" }], { "logs\\events.txt": file("x") }],
    ["a name in an extended header that is not UTF-8", [pax(["path", "caf\xe9"]), { path: "cafe", body: "x" }], { "caf\xe9": file("x") }],
    [
      "a GNU long name",
      [
        { path: "././@LongLink", type: "NextFileHasLongPath", body: `${"n".repeat(200)}\0` },
        { path: "n", body: "x" },
      ],
      { ["n".repeat(200)]: file("x") },
    ],
    [
      "a GNU long name before an extended header without a name",
      [{ path: "@", type: "NextFileHasLongPath", body: "long\0" }, pax(["mtime", "1"]), { path: "n", body: "x" }],
      { long: file("x") },
    ],
    [
      "an extended header with a name before a GNU long name, which it overrides",
      [pax(["path", "pax"]), { path: "@", type: "NextFileHasLongPath", body: "long\0" }, { path: "n", body: "x" }],
      { pax: file("x") },
    ],
    [
      "an extended header with a name after a GNU long name, which it overrides",
      [{ path: "@", type: "NextFileHasLongPath", body: "long\0" }, pax(["path", "pax"]), { path: "n", body: "x" }],
      { pax: file("x") },
    ],
    [
      "an extended header with a link target before a GNU long one, which it overrides",
      [
        pax(["linkpath", "pax"]),
        { path: "@", type: "NextFileHasLongLinkpath", body: "long\0" },
        { path: "l", type: "SymbolicLink", linkpath: "t" },
      ],
      { l: link("pax") },
    ],
    [
      "two GNU long names, of which the first one counts",
      [
        { path: "@", type: "NextFileHasLongPath", body: "one\0" },
        { path: "@", type: "NextFileHasLongPath", body: "two\0" },
        { path: "n", body: "x" },
      ],
      { one: file("x") },
    ],
    [
      "two extended headers, of which the last one counts",
      [pax(["path", "one"]), pax(["path", "two"]), { path: "n", body: "x" }],
      { two: file("x") },
    ],
    [
      "a GNU long link target",
      [
        { path: "@", type: "NextFileHasLongLinkpath", body: `${"t".repeat(200)}\0` },
        { path: "l", type: "SymbolicLink", linkpath: "t" },
      ],
      { l: link("t".repeat(200)) },
    ],
    ["a contiguous file", [{ path: "c", type: "ContiguousFile", body: "x" }], { c: file("x") }],
    [
      "a global header with a commit, as git archive writes it",
      [
        { path: "pax_global_header", type: "GlobalExtendedHeader", body: record("comment", "abc") },
        { path: "a", body: "x" },
      ],
      { a: file("x") },
    ],
    [
      "a volume label",
      [
        { path: "label", type: "TapeVolumeHeader" },
        { path: "a", body: "x" },
      ],
      { a: file("x") },
    ],
    [
      "the listing of a folder, as in GNU dumps",
      [
        { path: "d/", type: "GNUDumpDir", body: "Yx\0\0", mode: 0o755 },
        { path: "d/x", body: "1" },
      ],
      { d: folder(), "d/x": file("1") },
    ],
    [
      "a file twice, of which the later one counts",
      [
        { path: "a", body: "old" },
        { path: "a", body: "new" },
      ],
      { a: file("new") },
    ],
    [
      "a link in place of a file",
      [
        { path: "a", body: "x" },
        { path: "b", body: "" },
        { path: "b", type: "SymbolicLink", linkpath: "a" },
      ],
      { a: file("x"), b: link("a") },
    ],
    [
      "a folder that its owner may not write to",
      [
        { path: "d/", type: "Directory", mode: 0o555 },
        { path: "d/x", body: "1" },
      ],
      { d: folder(0o755), "d/x": file("1") },
    ],
    [
      "a hard link to a link",
      [
        { path: "d/l", type: "SymbolicLink", linkpath: "x" },
        { path: "d/h", type: "Link", linkpath: "d/l" },
      ],
      { "d/l": link("x"), "d/h": link("x"), d: folder() },
    ],
  ])("an archive is unpacked correctly with %s", async (_what, entries, tree) => {
    expect(await unpacked(crafted(...entries))).toEqual(tree);
  });

  test.each<[string, Buffer | CraftedEntry[], RegExp]>([
    [
      "a GNU sparse file",
      [
        { path: "big", type: "SparseFile" },
        { path: "main.py", body: "x" },
      ],
      /sparse file.*tar without -S\): "big"$/,
    ],
    [
      "a sparse file in extended headers",
      [pax(["GNU.sparse.major", "1"], ["GNU.sparse.minor", "0"]), { path: "big", body: "1" }],
      /sparse file/,
    ],
    ["a file that begins in another volume", [{ path: "half", type: "ContinuationFile", body: "x" }], /"half" begins in another volume/],
    ["an unknown type", [{ path: "acl", type: "SolarisACL" }], /"acl" has the type "A", which is not supported/],
    ["a block device", [{ path: "disk", type: "BlockDevice" }], /"disk" is a BlockDevice/],
    [
      "a global header with a path",
      [
        { path: "g", type: "GlobalExtendedHeader", body: record("path", "x") },
        { path: "a", body: "x" },
      ],
      /renames all of its entries/,
    ],
    [
      "a broken extended header",
      [
        { path: "x", type: "ExtendedHeader", body: "99 path=x\n" },
        { path: "a", body: "x" },
      ],
      /contains a broken extended header/,
    ],
    ["an extended header without an entry", [pax(["path", "x"])], /not a complete \.tar\.gz/],
    [
      "a folder that is also a file",
      [
        { path: "a", body: "x" },
        { path: "a/b", body: "y" },
      ],
      /contains "a" as a folder and also as something else/,
    ],
    [
      "a file that is also a folder",
      [
        { path: "a/b", body: "y" },
        { path: "a", body: "x" },
      ],
      /contains "a" as a folder and also as something else/,
    ],
    [
      "a hard link to a missing file",
      [{ path: "h", type: "Link", linkpath: "gone" }],
      /"h" refers to "gone", but no earlier file has that name/,
    ],
    [
      "a hard link to a link that leads outside from its new path",
      [
        { path: "a/b/l", type: "SymbolicLink", linkpath: "../../a" },
        { path: "h", type: "Link", linkpath: "a/b/l" },
      ],
      /the link "h" points outside/,
    ],
    ["a name that is too long", [pax(["path", "n".repeat(256)]), { path: "n", body: "x" }], /longer than Linux allows/],
    ["the working directory as a file", [{ path: ".", body: "x" }], /"\." is a name for the working directory itself/],
    [
      "two archives, one after the other",
      gzipSync(Buffer.concat([craftTar([{ path: "a" }]), craftTar([{ path: "b" }])])),
      /data follows after its end/,
    ],
  ])("an archive is refused with a reason: %s", async (_what, made, message) => {
    expect(await refusal(Buffer.isBuffer(made) ? made : crafted(...made))).toMatch(message);
  });

  test("an archive that is compressed in several parts is unpacked completely", async () => {
    const tar = craftTar([{ path: "a", body: Buffer.alloc(3000, "x") }]);
    const parts = [tar.subarray(0, 700), tar.subarray(700)].map((part) => gzipSync(part));
    expect(await unpacked(Buffer.concat(parts))).toEqual({ a: file("x".repeat(3000)) });
  });
});

const isGnuTar = spawnSync("tar", ["--version"]).stdout?.toString().includes("GNU tar") ?? false;

describe.skipIf(!isGnuTar)("archives of GNU tar", () => {
  let source: string;
  beforeEach(() => {
    source = join(root, "source");
    mkdirSync(source);
  });
  const tarred = (...options: readonly string[]): Buffer => execFileSync("tar", ["-czf", "-", ...options], { cwd: source });
  const long = `${"d".repeat(120)}/${"n".repeat(150)}`;

  test.each(["gnu", "oldgnu", "posix", "ustar", "v7"])("an archive in GNU tar's format %s is unpacked correctly", async (format) => {
    plant(source, {
      "w:0.npy": file("w", 0o640),
      "a/caf\xe9": file("c"),
      "a/run": file("r", 0o755),
      empty: folder(0o700),
      l: link("a/run"),
    });
    if (format === "gnu" || format === "posix") plant(source, { [long]: file("long"), far: link("t".repeat(150)) });
    linkSync(join(source, "w:0.npy"), join(source, "x"));
    utimesSync(join(source, "w:0.npy"), 1_000_000_000, 1_000_000_000);
    expect(await unpacked(tarred(`--format=${format}`, "."))).toEqual(harvest(source));
    expect(statSync(join(work, "x")).ino).toBe(statSync(join(work, "w:0.npy")).ino);
    expect(lstatSync(join(work, "w:0.npy")).mtimeMs).toBe(1_000_000_000_000);
  });

  test.each([["gnu"], ["posix"]])("an archive with a sparse file in GNU tar's format %s is refused", async (format) => {
    writeFileSync(join(source, "big"), "");
    truncateSync(join(source, "big"), 1024 * 1024);
    writeFileSync(join(source, "main.py"), "x");
    expect(await refusal(tarred("-S", `--format=${format}`, "big", "main.py"))).toMatch(/sparse file/);
    rmSync(work, { recursive: true });
    mkdirSync(work);
    await unpacked(tarred(`--format=${format}`, "big", "main.py"));
    expect(readFileSync(join(work, "big")).length).toBe(1024 * 1024);
  });

  test("an incremental backup of GNU tar is unpacked", async () => {
    plant(source, { "a/b": file("1") });
    expect(await unpacked(tarred(`--listed-incremental=${join(root, "snapshot")}`, "a"))).toEqual(harvest(source));
  });
});
