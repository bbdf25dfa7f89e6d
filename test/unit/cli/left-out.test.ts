import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UsageError } from "../../../lib/cli/invocation/exit.ts";
import { type PackOptions, withPacked } from "../../../lib/cli/pack/archive.ts";
import { localDisk, type PackDisk } from "../../../lib/cli/pack/disk.ts";
import { entriesOf } from "../../../lib/cli/pack/entries.ts";
import { listingOf } from "../../../lib/cli/pack/listing.ts";
import { packedLines } from "../../../lib/cli/pack/report.ts";
import { failTemporary } from "../../../lib/cli/pack/temporary.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { file, folder, link, plant } from "./byte-tree.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "fleetwright-left-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Packs the folder, and returns the lines that are printed. */
const printed = (options: PackOptions = {}): Promise<readonly string[]> =>
  withPacked(root, options, async (packed) => packedLines("work", packed));

const makePipe = (name: string): unknown => execFileSync("sh", ["-c", 'mkfifo "$0"', join(root, name)]);

const listed = async (): Promise<string[]> => (await listingOf(root, { git: true })).items.map(({ path }) => path);

const denied = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
/** A disk on which some files are unreadable, because the user who runs the tests may read everything. */
const secretive: PackDisk = {
  ...localDisk,
  list: (path) => (path.endsWith("secrets") ? Promise.reject(denied) : localDisk.list(path)),
  checkReadable: (path) => {
    if (path.endsWith("id_rsa")) throw denied;
  },
};

describe("files that packing always excludes", () => {
  it("packing always excludes the folder of a local cloud, and the caches and folders of git, Python and Node", async () => {
    plant(root, {
      "train.py": file("print(1)"),
      ".fleetwright/venv-1/pyvenv.cfg": file(""),
      ".fleetwright/venv-1/bin/python3": link("/usr/bin/python3"),
      ".git/HEAD": file("ref: refs/heads/main\n"),
      ".venv/bin/python": link("/usr/bin/python3"),
      "a/__pycache__/b.pyc": file(""),
      "a/.mypy_cache/x": file(""),
      "a/.pytest_cache/x": file(""),
      ".ruff_cache/x": file(""),
      "notes/.ipynb_checkpoints/x": file(""),
      "node_modules/x/index.js": file(""),
      ".tox/x": file(""),
      ".nox/x": file(""),
    });
    expect(await listed()).toEqual(["a", "notes", "train.py"]);
    expect(await printed({ strict: true })).toEqual([expect.stringMatching(/^work: 1 file, 8 bytes, \d+ bytes packed$/)]);
  });

  it("packing always excludes virtual environments, whatever their names, but no folder that only has such a name", async () => {
    plant(root, {
      "env/pyvenv.cfg": file(""),
      "env/lib/a.py": file(""),
      "py/conda-meta/history": file(""),
      "tools/my-env/pyvenv.cfg": file(""),
      "venv/config.py": file(""),
    });
    expect(await listed()).toEqual(["tools", "venv", "venv/config.py"]);
  });
});

describe("links", () => {
  it("links that stay inside the folder are packed, even if they are broken", async () => {
    plant(root, { "data/v1/x": file("x"), "latest.txt": file(""), "data/gone": link("v2"), "data/self": link("self") });
    symlinkSync(join(root, "data/v1"), join(root, "data/absolute"));
    symlinkSync(join(root, "not-yet"), join(root, "absolute-gone"));
    symlinkSync(`../${root.split("/").at(-1)}/data`, join(root, "detour"));
    symlinkSync(root, join(root, "data/top"));
    symlinkSync("v1/../v1/x", join(root, "data/round"));
    const { items, leftOut } = await listingOf(root, { git: true });
    expect(leftOut).toEqual([]);
    expect(items.filter((item) => item.kind === "link")).toEqual([
      { kind: "link", path: "absolute-gone", target: "not-yet" },
      { kind: "link", path: "data/absolute", target: "../data/v1" },
      { kind: "link", path: "data/gone", target: "v2" },
      { kind: "link", path: "data/round", target: "../data/v1/x" },
      { kind: "link", path: "data/self", target: "self" },
      { kind: "link", path: "data/top", target: "../" },
      { kind: "link", path: "detour", target: "data" },
    ]);
  });

  it.each(["../outside", "/etc/passwd", "lib/../../x", "/nowhere/at/all"])(
    "links that lead outside (%s) are left out and named",
    async (target) => {
      plant(root, { "a.py": file("a"), "lib/x": file("") });
      symlinkSync(target, join(root, "link"));
      expect(await printed()).toEqual([
        expect.stringContaining("2 files"),
        "left out because they cannot be packed (--strict makes this an error; exclude them in .fleetignore to hide this):",
        `  link: a link to ${target}, outside the folder`,
      ]);
      await expect(printed({ strict: true })).rejects.toThrow(UsageError);
      await expect(printed({ strict: true })).rejects.toThrow(
        /--strict: not everything in .*\n {2}link: a link to .*, outside the folder$/,
      );
      plant(root, { ".fleetignore": file("link\n") });
      expect(await printed({ strict: true })).toHaveLength(1);
    },
  );

  it("links through another link that leads outside are left out with it", async () => {
    plant(root, { "a.py": file("a"), out: link("/etc"), through: link("out/passwd") });
    expect((await printed()).slice(2)).toEqual([
      "  out: a link to /etc, outside the folder",
      "  through: a link to out/passwd, outside the folder",
    ]);
  });
});

describe("special files", () => {
  it("packing leaves out sockets and named pipes, and names them", async () => {
    plant(root, { "a.py": file("a") });
    makePipe("pipe");
    const server = createServer().listen(join(root, "run.sock"));
    await new Promise((resolve) => server.once("listening", resolve));
    expect((await printed()).slice(2)).toEqual(["  pipe: a named pipe", "  run.sock: a socket"]);
    await new Promise((resolve) => server.close(resolve));
  });

  it("at most twenty special files are named, with names that cannot move a terminal's cursor", async () => {
    plant(root, { "a.py": file("a"), ...Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`\x1b[2J${100 + n}`, link("/etc")])) });
    const lines = (await printed()).slice(2);
    expect(lines).toHaveLength(21);
    expect(lines[0]).toBe(String.raw`  \x1b[2J100: a link to /etc, outside the folder`);
    expect(lines.at(-1)).toBe("  and 5 more");
  });
});

describe("unreadable files", () => {
  it("unreadable files and folders are left out and named", async () => {
    plant(root, { "a.py": file("a"), id_rsa: file("k"), "secrets/x": file("") });
    expect((await printed({ disk: secretive })).slice(2)).toEqual([
      "  id_rsa: a file that you have no permission to read",
      "  secrets: a folder that you have no permission to read",
    ]);
    await expect(printed({ disk: secretive, strict: true })).rejects.toThrow(/secrets: a folder that you have no permission to read/);
  });

  it("an unreadable folder to pack, or an unreadable ignore file, is an error", async () => {
    plant(root, { "a.py": file("a"), ".gitignore": file("*.key\n") });
    await expect(printed({ disk: { ...localDisk, list: () => Promise.reject(denied) } })).rejects.toThrow(
      /^you have no permission to read the folder .*; ask its owner/,
    );
    const noRules: PackDisk = {
      ...localDisk,
      read: () => {
        throw denied;
      },
    };
    await expect(printed({ disk: noRules })).rejects.toThrow(
      /\.gitignore cannot be read, so it is unknown what it excludes; make it readable$/,
    );
  });
});

it.each([".fleetignore", "sub/.fleetignore"])("a link from %s to a named pipe is refused instead of waited for", async (name) => {
  plant(root, { a: file("a"), "sub/b": file("b") });
  makePipe("pipe");
  symlinkSync(join(root, "pipe"), join(root, name));
  await expect(listed()).rejects.toThrow(/fleetignore is not a regular file, so it is unknown what it excludes; replace it/);
});

it("a repository whose list of excluded files is a named pipe is refused instead of waited for", async () => {
  mkdirSync(join(root, ".git", "info"), { recursive: true });
  makePipe(".git/info/exclude");
  await expect(listed()).rejects.toThrow(/exclude is not a regular file/);
});

describe("a folder that is uploaded as a dataset", () => {
  it("a dataset excludes files that .fleetignore names, but not those that .gitignore names, and has no folders", async () => {
    plant(root, {
      ".gitignore": file("*.bin\n"),
      ".fleetignore": file(".*\n"),
      "a/.fleetignore": file("x\n"),
      "a/x": file(""),
      "a/b.bin": file("12"),
    });
    expect(await entriesOf(root)).toEqual({ paths: ["a/b.bin"], bytes: 2, odd: [] });
  });

  it("a dataset keeps files that packing always excludes from code", async () => {
    plant(root, { "node_modules/x.js": file("x"), "env/pyvenv.cfg": file(""), "env/data.bin": file("12") });
    expect((await entriesOf(root)).paths).toEqual(["env/data.bin", "env/pyvenv.cfg", "node_modules/x.js"]);
  });

  it("a dataset is refused if files would be missing silently, or a name cannot be a key on S3", async () => {
    plant(root, { a: file("a"), l: link("/etc/passwd"), m: link("/etc/hosts") });
    await expect(entriesOf(root)).rejects.toThrow(
      /replace each of these with a file, .*:\n {2}l is a link to \/etc\/passwd, outside the folder\n {2}m is a link to \/etc\/hosts/,
    );
    for (const name of ["l", "m"]) rmSync(join(root, name));
    plant(root, { "d/x": file("x"), b: link("nowhere"), f: link("d"), good: link("a"), p: link("pipe") });
    makePipe("pipe");
    await expect(entriesOf(root)).rejects.toThrow(
      /nothing was uploaded; .*:\n {2}b is a broken link\n {2}f is a link to a folder, and .*\n {2}p is a link to something that is not a file/,
    );
    for (const name of ["b", "f", "p", "pipe"]) rmSync(join(root, name));
    expect((await entriesOf(root)).paths).toEqual(["a", "d/x", "good"]);
    plant(root, { "caf\xe9": file("") });
    await expect(entriesOf(root)).rejects.toThrow(String.raw`the name of caf\xe9 is not UTF-8`);
  });
});

it("empty folders are packed, and so are folders whose files are all excluded", async () => {
  plant(root, { "a.py": file("a"), "logs/run": folder(), "out/x.log": file(""), ".fleetignore": file("*.log\n.fleetignore\n") });
  expect(await listed()).toEqual(["a.py", "logs", "logs/run", "out"]);
});

describe("the report of files that .gitignore excludes", () => {
  const sized = (n: number) => file("x".repeat(n));

  it("files that .gitignore excludes are reported by number, size and the three largest, with a rule to include one", async () => {
    plant(root, {
      ".gitignore": file("data/\n*.pt\n.venv/\n"),
      "a.py": file("a"),
      "data/a.bin": sized(5000),
      "data/deep/b.bin": sized(3000),
      "data/c.bin": sized(1),
      "best[1].pt": sized(9000),
      "last.pt": sized(2),
      ".venv/lib": sized(10_000),
    });
    expect((await printed()).slice(1)).toEqual([
      ".gitignore excluded 5 files, 17 KiB; the largest: best[1].pt (8.8 KiB), data/a.bin (4.9 KiB), data/deep/b.bin (2.9 KiB)",
      String.raw`to send one anyway, add a line to .fleetignore: !/best\[1].pt`,
    ]);
    plant(root, { ".fleetignore": file("!/best\\[1].pt\n!/data/a.bin\n") });
    expect(await listed()).toEqual([".fleetignore", ".gitignore", "a.py", "best[1].pt", "data/a.bin"]);
  });

  it("counting files that .gitignore excludes is limited", async () => {
    plant(root, {
      ".gitignore": file("data/\n"),
      "a.py": file("a"),
      ...Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`data/${n}`, sized(1)])),
    });
    const [, line] = await printed({ counting: { entries: 11, ms: 60_000 } });
    expect(line).toMatch(/^\.gitignore excluded more than 10 files, 10 bytes; the largest: /);
    expect((await printed({ counting: { entries: 100, ms: -1 } }))[1]).toBe(".gitignore excluded more than could be counted");
  });
});

describe("an unusable temporary folder", () => {
  it.each([
    ["ENOSPC", /temporary folder .* is full; make room there, or set TMPDIR to a folder with room/],
    ["EROFS", /nothing can be written to the temporary folder .*; set TMPDIR/],
    ["EACCES", /nothing can be written to the temporary folder .*; set TMPDIR/],
    ["ENOENT", /there is no temporary folder .*; create it, or set TMPDIR/],
  ])("an unusable temporary folder is explained (%s)", (code, message) => {
    const fail = (): never => failTemporary(Object.assign(new Error(`${code}: raw`), { code }));
    expect(fail).toThrow(FleetError);
    expect(fail).toThrow(message);
  });

  it("packing fails with the explanation if the temporary folder is unusable", async () => {
    writeFileSync(join(root, "a.py"), "a");
    mkdirSync(join(root, "tmp"));
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = join(root, "none");
    try {
      await expect(printed()).rejects.toThrow(/there is no temporary folder .*none; create it, or set TMPDIR/);
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
    }
  });
});
