import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { list } from "tar";
import { afterEach, beforeEach, expect, it } from "vitest";
import { withPacked } from "../../../lib/cli/pack/archive.ts";
import { archiveInspector, archiveLimits, linkStaysInside } from "../../../lib/model/files/archive-entry.ts";
import { unpack } from "../../../lib/worker/code/archive.ts";
import { file, folder, harvest, link, type Node, plant, type Tree } from "./byte-tree.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "fleetwright-tree-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

let draws = 0;
const fresh = (): string => {
  const made = join(root, String(++draws));
  mkdirSync(made);
  return made;
};

/** Packs a folder, and returns what a node unpacks. */
async function arrived(from: string): Promise<Tree> {
  const to = fresh();
  await withPacked(from, {}, (packed) => unpack(packed.file, { folder: to, limits: archiveLimits }));
  return harvest(to);
}

const latin1 = (text: string): string => Buffer.from(text).toString("latin1");

/** Names that some programs interpret in another way. */
const oddNames = [
  "w:0.npy",
  "C:foo",
  "back\\slash",
  "\\",
  "caf\xe9.txt",
  latin1("café"),
  "x\ny",
  " ",
  "@odd",
  "-rf",
  "a b",
  "\xff\xfe",
  "~",
  "#",
];
const name = fc.oneof(
  fc.constantFrom("a", "b", "c"),
  fc.constantFrom(...oddNames),
  fc.constantFrom("n".repeat(120), "n".repeat(255), "\xe9".repeat(101), "m".repeat(99)),
);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
/** Modes that packing does not change: the owner may read and write, and no one else may write. */
const mode = fc.constantFrom(0o644, 0o755, 0o600, 0o700, 0o640);
const folderMode = fc.constantFrom(0o755, 0o700, 0o750);
const target = fc.oneof(
  path,
  path.map((to) => `../${to}`),
  fc.constantFrom("..", ".", "../..", "a/../b", "/etc/passwd", "l".repeat(150)),
);
const node: fc.Arbitrary<Node> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.string({ unit: "binary-ascii", maxLength: 600 }), mode).map(([content, bits]) => file(content, bits)),
  },
  { weight: 1, arbitrary: folderMode.map((bits) => folder(bits)) },
  { weight: 1, arbitrary: target.map((to) => link(to)) },
);
const tree = fc.array(fc.tuple(path, node), { minLength: 1, maxLength: 15 }).map((nodes) => Object.fromEntries(nodes));

it("packed names, contents, modes, empty folders and links that stay inside are unpacked unchanged", async () => {
  let links = 0;
  await fc.assert(
    fc.asyncProperty(tree, async (drawn) => {
      const from = fresh();
      plant(from, { ...drawn, "main.py": file("x") });
      const there = harvest(from);
      // The only target outside, and links that climb above the folder, are left out.
      const kept = Object.entries(there).filter(([at, each]) => each.kind !== "link" || linkStaysInside(at, each.target));
      const found = await arrived(from);
      expect(found).toMatchObject(Object.fromEntries(kept));
      for (const [at, each] of Object.entries(found)) {
        if (each.kind === "link") expect(linkStaysInside(at, each.target)).toBe(true);
        else expect(there[at]).toEqual(each);
      }
      links += kept.filter(([, each]) => each.kind === "link").length;
      for (const made of readdirSync(root)) rmSync(join(root, made), { recursive: true });
    }),
    { numRuns: 30 },
  );
  expect(links).toBeGreaterThan(10);
});

it("names that are not text, contain a backslash or a line break, or look like drives are unpacked unchanged", async () => {
  const from = fresh();
  const planted = Object.fromEntries(oddNames.map((each) => [each, file(each)]));
  plant(from, planted);
  expect(await arrived(from)).toEqual(planted);
});

it("a folder that is larger than a node unpacks is refused before it is packed", async () => {
  const from = fresh();
  plant(from, { "main.py": file("x"), zeros: file("") });
  truncateSync(join(from, "zeros"), 21 * 1024 ** 3);
  await expect(withPacked(from, {}, async () => "packed")).rejects.toThrow(
    /unpacks to more than \d+ bytes; exclude it with a \.fleetignore file/,
  );
});

it("entries that the archive's rule accepts stay inside, in whatever order they are unpacked", () => {
  const anyPath = fc.oneof(path, fc.constantFrom("..", "/", "a/../b", "", ".", "a\0b", "x/".repeat(1900), "n".repeat(256)));
  fc.assert(
    fc.property(fc.array(fc.tuple(anyPath, fc.option(anyPath)), { maxLength: 8 }), (entries) => {
      const inspect = archiveInspector(archiveLimits);
      const links = new Set<string>();
      for (const [at, to] of entries) {
        const trouble = inspect({ path: at, type: to === null ? "File" : "SymbolicLink", size: 0, linkpath: to ?? undefined });
        if (trouble !== undefined) return;
        const parts = at.split("/").filter((part) => part !== "" && part !== ".");
        expect(parts).not.toContain("..");
        expect(parts.some((_, index) => index > 0 && links.has(parts.slice(0, index).join("/")))).toBe(false);
        if (to !== null) links.add(parts.join("/"));
      }
    }),
    { numRuns: 200 },
  );
});

const isGnuTar = spawnSync("tar", ["--version"]).stdout?.toString().includes("GNU tar") ?? false;

it.skipIf(!isGnuTar)("GNU tar unpacks the same files from an archive", async () => {
  const from = fresh();
  const to = fresh();
  const deep = `${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(90)}`;
  plant(from, {
    "caf\xe9.txt": file("1"),
    [`${deep}/g`]: file("2", 0o755),
    [`${"h".repeat(100)}\xe9`]: file("3"),
    l: link(`${deep}/g`),
    empty: folder(0o700),
  });
  await withPacked(from, {}, async (packed) => {
    expect(
      spawnSync("tar", ["-xzf", packed.file, "-C", to])
        .stderr.toString()
        .replaceAll(/.*implausibly old.*\n/g, ""),
    ).toBe("");
    copyFileSync(packed.file, join(root, "code.tar.gz"));
  });
  expect(harvest(to)).toEqual(harvest(from));
  const names: string[] = [];
  await list({ file: join(root, "code.tar.gz"), strict: true, onReadEntry: (entry) => void names.push(entry.path) });
  expect(names).toContain(`${deep}/g`);
});

it("a file of more than 8 GiB has its size in the archive", async () => {
  const { headOf } = await import("../../../lib/cli/pack/tar-writer.ts");
  const { tarEntries } = await import("../../../lib/worker/code/tar-reader.ts");
  const { ByteSource } = await import("../../../lib/model/files/byte-source.ts");
  const bytes = 8 ** 11 + 5;
  const source = (async function* () {
    yield headOf({ path: "big", kind: "file", mode: 0o644, bytes });
  })();
  const first = await tarEntries(new ByteSource(source)).next();
  expect(first.value).toMatchObject({ path: "big", size: bytes, type: "File" });
});

it("packing fails with a reason if a file is removed during it", async () => {
  const { contentsOf } = await import("../../../lib/cli/pack/contents.ts");
  const from = fresh();
  writeFileSync(join(from, "a"), "x");
  const items = ["a", "gone"].map((each) => ({ kind: "file", path: each, mode: 0o644, bytes: 1 }) as const);
  const all = async (): Promise<void> => {
    for await (const _ of contentsOf(from, items));
  };
  await expect(all()).rejects.toThrow("gone was changed or removed while the folder was packed; try again when no program writes to it");
});
