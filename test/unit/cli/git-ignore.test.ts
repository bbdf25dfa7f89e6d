import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { listingOf } from "../../../lib/cli/pack/listing.ts";
import { file, harvest, named, plant } from "./byte-tree.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "fleetwright-git-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const latin1 = (text: string): string => Buffer.from(text).toString("latin1");

const simple = fc.constantFrom("a", "b", "*", "?", "/", "**", "[ab]", "[!a]", "[[:alpha:]]", "**/");
const odd = fc.constantFrom(
  ...["ab", "x", "1", ".", "-", " ", "\t", "#", "!", "é", "[^b]", "[a-c]", "[a-c-e]", "[[:digit:]]", "[[:space:]]", "[[:alpha:]x]"],
  ...["[\\]]", "[]a]", "[]-]", "[a-", "[", "]", "\\", "\\a", "\\*", "\\ ", "[[:foo:]]", "[[a]", "[é]", "\\/", "[/]", "[\\a-c]", "/**"],
);
const glob = fc
  .oneof(fc.array(simple, { minLength: 1, maxLength: 4 }), fc.array(fc.oneof(simple, odd), { minLength: 1, maxLength: 4 }))
  .map((pieces) => pieces.join(""));
const line = fc
  .tuple(fc.constantFrom("", "", "", "!", "/", "\\!", "#"), glob, fc.constantFrom("", "", "", "/", "  ", "\r"))
  .map((parts) => parts.join(""));
const rules = fc
  .tuple(
    fc.constantFrom("", "", "\ufeff"),
    fc.array(line, { minLength: 1, maxLength: 5 }),
    fc.constantFrom("\n", "\n", "\r\n"),
    fc.constantFrom("", "\n"),
  )
  .map(([mark, lines, ending, end]) => latin1(mark + lines.join(ending) + end));

const name = fc
  .array(fc.constantFrom("a", "b", "c", "x", "1", " ", "\xe9", "é", "]", "-", "[", "!", "#", "\\", "*", "\t"), {
    minLength: 1,
    maxLength: 2,
  })
  .map((letters) => letters.map((letter) => (letter === "\xe9" ? letter : latin1(letter))).join(""));
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
const paths = fc.uniqueArray(path, { minLength: 20, maxLength: 40 });
const places = ["", "a/", "b/", "a/b/"];
const ignoreFiles = fc.dictionary(fc.constantFrom(...places), rules, { minKeys: 1, maxKeys: 3 });

/** Creates a repository with these files, and with ignore files of this name. */
function repository(at: string, files: readonly string[], ignores: Readonly<Record<string, string>>, ignoreName = ".gitignore"): void {
  for (const folder of ["refs", "objects", "info"]) mkdirSync(join(at, ".git", folder), { recursive: true });
  writeFileSync(join(at, ".git", "HEAD"), "ref: refs/heads/main\n");
  for (const [place, text] of Object.entries(ignores)) plant(at, { [place + ignoreName]: file(text) });
  plant(at, Object.fromEntries(files.map((each) => [each, file("")])));
}

/** Returns which of these files git ignores. */
function ignoredByGit(at: string, files: readonly string[]): ReadonlySet<string> {
  const run = spawnSync("git", ["-C", at, "-c", "core.excludesFile=/dev/null", "check-ignore", "--stdin", "-z", "--no-index", "-v", "-n"], {
    input: Buffer.from(files.map((each) => `./${each}\0`).join(""), "latin1"),
  });
  if (run.status !== 0 && run.status !== 1) throw new Error(`git: ${run.stderr}`);
  const fields = run.stdout.toString("latin1").split("\0");
  return new Set(files.filter((_, index) => fields[4 * index] !== "" && !fields[4 * index + 2]?.startsWith("!")));
}

const filesIn = (at: string): string[] =>
  Object.entries(harvest(at))
    .filter(([found, { kind }]) => kind === "file" && !found.startsWith(".git/") && !found.endsWith("ignore"))
    .map(([found]) => found);

async function packed(folder: string): Promise<string[]> {
  const { items } = await listingOf(folder, { git: true });
  return items.filter((item) => item.kind === "file" && !item.path.endsWith("ignore")).map((item) => item.path);
}

/** Creates a folder per draw, and removes it afterwards. */
let draws = 0;
const withFresh = async (use: (at: string) => Promise<void>): Promise<void> => {
  const at = join(root, String(++draws));
  await use(at);
  rmSync(at, { recursive: true });
};

it("packing excludes the same files as git because of .gitignore files, also below the top of a repository", async () => {
  let compared = 0;
  let out = 0;
  await fc.assert(
    fc.asyncProperty(paths, ignoreFiles, fc.option(rules, { nil: "" }), async (files, ignores, exclude) =>
      withFresh(async (at) => {
        repository(at, files, ignores);
        writeFileSync(join(at, ".git", "info", "exclude"), Buffer.from(exclude, "latin1"));
        const there = filesIn(at);
        const ignored = ignoredByGit(at, there);
        expect(await packed(at)).toEqual(there.filter((each) => !ignored.has(each)).toSorted(byBytes));
        compared += there.length;
        out += ignored.size;
        // The user names the folder to pack, so rules of git about the folder itself do not apply.
        const below = there.filter((each) => each.startsWith("a/")).map((each) => each.slice(2));
        if (below.length === 0 || ignoredByGit(at, ["a"]).has("a")) return;
        expect(await packed(join(at, "a"))).toEqual(below.filter((each) => !ignored.has(`a/${each}`)).toSorted(byBytes));
      }),
    ),
    { numRuns: 25 },
  );
  expect(compared).toBeGreaterThan(500);
  expect(out).toBeGreaterThan(60);
});

const byBytes = (one: string, two: string): number => (one < two ? -1 : 1);

it("rules of .fleetignore files override those of .gitignore files, as .gitignore files override .git/info/exclude", async () => {
  // Unlike in git, a rule that includes a path reaches into ignored folders: see the next test.
  const withoutPaths = ignoreFiles.map((ignores) =>
    Object.fromEntries(Object.entries(ignores).map(([place, text]) => [place, text.replaceAll(/^(?:\xef\xbb\xbf)?!.*\/.*$/gm, "#")])),
  );
  await fc.assert(
    fc.asyncProperty(paths, withoutPaths, rules, async (files, ignores, yielding) =>
      withFresh(async (at) => {
        const [ours, gits] = [join(at, "ours"), join(at, "gits")];
        repository(gits, files, ignores);
        writeFileSync(join(gits, ".git", "info", "exclude"), Buffer.from(yielding, "latin1"));
        repository(ours, files, ignores, ".fleetignore");
        writeFileSync(join(ours, ".gitignore"), Buffer.from(yielding, "latin1"));
        const there = filesIn(gits);
        const ignored = ignoredByGit(gits, there);
        expect(await packed(ours)).toEqual(there.filter((each) => !ignored.has(each)).toSorted(byBytes));
      }),
    ),
    { numRuns: 10 },
  );
});

it("a rule of .fleetignore that names a path includes it, even if it is in a folder that git ignores", async () => {
  plant(root, {
    ".gitignore": file("data/\n*.pt\nruns\n/cache/*\n"),
    ".fleetignore": file("!/data/train.bin\n!ckpt/best.pt\n!runs/\nruns/old\n!keep.txt\n"),
    "data/train.bin": file("t"),
    "data/other.bin": file("o"),
    "data/keep.txt": file("a rule for names reaches into no ignored folder"),
    "ckpt/best.pt": file("b"),
    "ckpt/last.pt": file("l"),
    "runs/new/a.txt": file("n"),
    "runs/new/b.pt": file("p"),
    "runs/old/a.txt": file("o"),
    "cache/keep.txt": file("k"),
  });
  expect(await packed(root)).toEqual(["cache/keep.txt", "ckpt/best.pt", "data/train.bin", "runs/new/a.txt"]);
});

it("packing does not follow a link to a .gitignore file, and rules of deeper folders win, as in git", async () => {
  plant(root, {
    rules: file("*\n"),
    ".gitignore": { kind: "link", target: "rules" },
    "a/.gitignore": file("!x.log\n"),
    "a/x.log": file(""),
  });
  expect(await packed(root)).toEqual(["a/x.log", "rules"]);
  rmSync(join(root, ".gitignore"));
  plant(root, { ".gitignore": file("*.log\n"), "y.log": file("") });
  expect(await packed(root)).toEqual(["a/x.log", "rules"]);
});

it("packing in a worktree of git applies the rules of the repository's .git/info/exclude", async () => {
  plant(root, {
    "main/.git/info/exclude": file("*.secret\n"),
    "main/.git/worktrees/w/commondir": file("../..\n"),
    "w/.git": file(`gitdir: ${root}/main/.git/worktrees/w\n`),
    "w/a.secret": file(""),
    "w/a.py": file(""),
  });
  expect(await packed(join(root, "w"))).toEqual(["a.py"]);
});

it("a name that is not UTF-8 is matched by its bytes", async () => {
  plant(root, { ".gitignore": file("caf?.txt\n"), "caf\xe9.txt": file(""), [latin1("café.txt")]: file("") });
  expect(await packed(root)).toEqual([latin1("café.txt")]);
  expect(named(root, "caf\xe9.txt").at(-5)).toBe(0xe9);
});
