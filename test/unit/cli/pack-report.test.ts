import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { withPacked } from "../../../lib/cli/pack/archive.ts";
import { entriesOf } from "../../../lib/cli/pack/entries.ts";
import { countLimits } from "../../../lib/cli/pack/ignored.ts";
import { leftOutLines, packedLines } from "../../../lib/cli/pack/report.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-report-"));
});
afterEach(() => rm(folder, { recursive: true }));

const noneIgnored = { files: 0, bytes: 0, more: false, largest: [] };
const packed = { files: 2, bytes: 2_048, packedBytes: 1_024, ignored: noneIgnored, leftOut: [] };
const file = (path: string, bytes: number) => ({ path, bytes });

it.each([
  ["nothing else if all was packed", {}, []],
  [
    "that more was excluded than could be counted",
    { ignored: { ...noneIgnored, more: true } },
    [".gitignore excluded more than could be counted"],
  ],
  [
    "the only file that git ignores",
    { ignored: { files: 1, bytes: 3, more: false, largest: [file("best.pt", 3)] } },
    [".gitignore excluded 1 file, 3 bytes; it is best.pt (3 bytes)", "to send one anyway, add a line to .fleetignore: !/best.pt"],
  ],
  [
    "the largest files that git ignores, and a rule that includes exactly one",
    { ignored: { files: 9, bytes: 30, more: true, largest: [file("a*[b]?\\ ", 9), file("b", 8)] } },
    [
      ".gitignore excluded more than 9 files, 30 bytes; the largest: a*[b]?\\  (9 bytes), b (8 bytes)",
      "to send one anyway, add a line to .fleetignore: !/a\\*\\[b]\\?\\\\\\ ",
    ],
  ],
  [
    "what cannot be packed",
    { leftOut: [{ path: "pipe", kind: "special" as const, why: "a named pipe" }] },
    [
      "left out because they cannot be packed (--strict makes this an error; exclude them in .fleetignore to hide this):",
      "  pipe: a named pipe",
    ],
  ],
])("the report about a packed folder says %s", (_what, over, lines) => {
  expect(packedLines("src", { ...packed, ...over })).toEqual(["src: 2 files, 2 KiB, 1 KiB packed", ...lines]);
});

it.each([
  [20, []],
  [22, ["  and 2 more"]],
])("the report names at most twenty of %i entries that cannot be packed", (count, more) => {
  const leftOut = Array.from({ length: count }, (_, n) => ({ path: `p${n}`, kind: "special" as const, why: "a socket" }));
  expect(leftOutLines(leftOut)).toEqual([...Array.from({ length: 20 }, (_, n) => `  p${n}: a socket`), ...more]);
});

it.each([
  [20, []],
  [22, ["and 2 more"]],
])("an upload names at most twenty of %i links that lead nowhere", async (count, more) => {
  const names = Array.from({ length: count }, (_, n) => `l${10 + n}`);
  for (const name of names) await symlink("nowhere", join(folder, name));
  await expect(entriesOf(folder)).rejects.toMatchObject({
    name: "UsageError",
    message: [
      "nothing was uploaded; replace each of these with a file, or exclude it with a line in a .fleetignore file:",
      ...names.slice(0, 20).map((name) => `${name} is a broken link`),
      ...more,
    ].join("\n  "),
  });
});

it("packing reports its progress towards the limit of 1 GiB, and counts 100,000 ignored files for two seconds at most", async () => {
  await writeFile(join(folder, "train.py"), "print(1)");
  const progress: string[] = [];
  await withPacked(folder, { onProgress: (detail) => progress.push(detail) }, async () => undefined);
  expect(progress.at(-1)).toMatch(/^\d+ bytes of at most 1 GiB$/);
  expect(countLimits).toEqual({ entries: 100_000, ms: 2_000 });
});
