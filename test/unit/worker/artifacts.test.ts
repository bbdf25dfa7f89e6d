import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ArtifactRequest } from "../../../lib/model/job.ts";
import { type ArtifactLimits, artifactLimits } from "../../../lib/worker/artifacts/artifact-limits.ts";
import { collectArtifacts, whyFailed } from "../../../lib/worker/artifacts/artifacts.ts";

let folder: string;
let work: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "fw-artifacts-")));
  work = join(folder, "work");
  await mkdir(join(work, "out", "deep"), { recursive: true });
  await writeFile(join(work, "out", "model.bin"), "weights");
  await writeFile(join(work, "out", "deep", "log.txt"), "loss");
  await writeFile(join(folder, "secret"), "not yours");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Collects artifacts. Returns the collected paths, and what is left out with the reason. */
async function collect(requests: readonly ArtifactRequest[], limits: Partial<ArtifactLimits> = {}) {
  const collected = await collectArtifacts(work, requests, { ...artifactLimits, ...limits });
  const { leftOut, leftOutMore } = collected.leftOut.listed;
  const failed = whyFailed(collected, collected.files);
  return {
    files: collected.files,
    paths: collected.files.map(({ path }) => path),
    leftOut: Object.fromEntries(leftOut.map(({ path, because }) => [path, because])),
    leftOutMore,
    missing: collected.missing,
    failed,
  };
}

describe("the artifacts of a job", () => {
  test("the artifacts are the requested files and all files of requested folders, each once, in order and with its permissions", async () => {
    await chmod(join(work, "out", "model.bin"), 0o750);
    const { files } = await collect(["out", "./out//model.bin", "out/"]);
    expect(files.map(({ path, place, bytes, mode }) => ({ path, place: place.toString(), bytes, mode }))).toEqual([
      { path: "out/deep/log.txt", place: join(work, "out/deep/log.txt"), bytes: 4, mode: 0o644 },
      { path: "out/model.bin", place: join(work, "out/model.bin"), bytes: 7, mode: 0o750 },
    ]);
    expect((await collect(["."])).paths).toEqual(["out/deep/log.txt", "out/model.bin"]);
    expect((await collect([])).paths).toEqual([]);
  });

  test("artifacts are in the order of their paths, even if a folder's name is the prefix of another name", async () => {
    for (const path of ["out-2", "out.txt"]) await writeFile(join(work, path), "");
    expect((await collect(["."])).paths).toEqual(["out-2", "out.txt", "out/deep/log.txt", "out/model.bin"]);
  });

  test("artifacts include what a glob matches, and all files in a folder that it matches", async () => {
    expect((await collect(["out/*.bin"])).paths).toEqual(["out/model.bin"]);
    expect((await collect(["*/deep"])).paths).toEqual(["out/deep/log.txt"]);
    expect((await collect(["**/*.txt"])).paths).toEqual(["out/deep/log.txt"]);
    expect((await collect(["o?t/[a-m]*"])).paths).toEqual(["out/deep/log.txt", "out/model.bin"]);
    expect((await collect(["**"])).paths).toEqual(["out/deep/log.txt", "out/model.bin"]);
  });

  test("a file whose name looks like a glob is an artifact under that name", async () => {
    for (const path of ["run[1]", "run1"]) await writeFile(join(work, path), "");
    expect((await collect(["run[1]"])).paths).toEqual(["run[1]"]);
    expect((await collect(["run[12]"])).paths).toEqual(["run1"]);
  });

  test("artifacts may be reached through links that stay inside the working directory", async () => {
    await symlink("out/deep", join(work, "latest"));
    await symlink("model.bin", join(work, "out", "best.bin"));
    expect((await collect(["latest", "out/best.bin"])).files.map(({ path, place }) => [path, place.toString()])).toEqual([
      ["latest/log.txt", join(work, "out/deep/log.txt")],
      ["out/best.bin", join(work, "out/model.bin")],
    ]);
  });
});

describe("missing artifacts", () => {
  test("a missing artifact is listed by the name in the job and does not affect the others", async () => {
    expect(await collect(["out", "ckpt/*.pt", "results"])).toMatchObject({
      paths: ["out/deep/log.txt", "out/model.bin"],
      missing: ["ckpt/*.pt", "results"],
      failed: undefined,
    });
  });

  test("a missing required artifact fails the job, and the other artifacts are kept", async () => {
    const required = (path: string) => ({ path, required: true }) as const;
    expect(await collect(["out", required("final.pt")])).toMatchObject({
      paths: ["out/deep/log.txt", "out/model.bin"],
      failed: 'the required artifact "final.pt" is missing',
    });
    await symlink("nowhere", join(work, "final.pt"));
    expect((await collect([required("final.pt")])).failed).toBe('no file of the required artifact "final.pt" could be kept');
    expect((await collect([required("*/*.bin")])).failed).toBeUndefined();
    const names = Array.from({ length: 40 }, (_, n) => required(`${"n".repeat(100)}${n}`));
    expect((await collect(names)).failed).toHaveLength(2_000);
  });

  test("all artifacts are missing if the job removed its own folder", async () => {
    await rm(work, { recursive: true });
    expect(await collect(["out", "*.pt"])).toMatchObject({ paths: [], missing: ["out", "*.pt"], leftOut: {} });
  });
});

describe("files that cannot be kept", () => {
  const rest = ["out/deep/log.txt", "out/model.bin"];

  test.each([
    ["../../secret", "it is a link to a path outside the working directory"],
    ["/etc/hostname", "it is a link to a path outside the working directory"],
    ["/dev/null", "it is a link to a path outside the working directory"],
    ["../..", "it is a link to a path outside the working directory"],
    ["nothing", "it is a broken link"],
    ["link", "it is a broken link"],
    [".", "it is a link to a folder that contains it"],
  ])("a link to %s is left out with the reason", async (target, why) => {
    await symlink(target, join(work, "out", "link"));
    for (const requests of [["out"], ["out", "out/link"], ["out/**"]])
      expect(await collect(requests)).toMatchObject({ paths: rest, leftOut: { "out/link": why }, missing: [] });
  });

  test("a file below a link to the outside is left out with the reason", async () => {
    await symlink(folder, join(work, "all"));
    expect(await collect(["all/secret"])).toMatchObject({
      paths: [],
      leftOut: { all: "it is a link to a path outside the working directory" },
      missing: [],
    });
    // A glob merely passes through it, so it is not listed.
    expect(await collect(["*/deep/*"])).toMatchObject({ paths: ["out/deep/log.txt"], leftOut: {} });
  });

  test("sockets and named pipes are left out with the reason", async () => {
    execFileSync("sh", ["-c", 'mkfifo "$0"', join(work, "out", "pipe")]);
    const socket = createServer().listen(join(work, "out", "socket"));
    await once(socket, "listening");
    expect(await collect(["out", "out/pipe"])).toMatchObject({
      paths: rest,
      leftOut: { "out/pipe": "it is a named pipe (FIFO)", "out/socket": "it is a socket" },
      missing: [],
    });
    socket.close();
  });

  test.skipIf(process.getuid?.() === 0)("a folder that cannot be read is left out with the reason", async () => {
    await mkdir(join(work, "out", "closed"), { mode: 0 });
    expect(await collect(["out"])).toMatchObject({ paths: rest, leftOut: { "out/closed": "it cannot be read" } });
  });

  test("files over a limit are left out, always the same ones, and the files that fit are kept", async () => {
    expect(await collect(["out"], { files: 1 })).toMatchObject({
      paths: ["out/deep/log.txt"],
      leftOut: { "out/model.bin": "only the first 1 files are kept" },
    });
    expect(await collect(["out"], { bytes: 6 })).toMatchObject({
      paths: ["out/deep/log.txt"],
      leftOut: { "out/model.bin": "with it, the files would exceed 6 bytes in total" },
    });
    await writeFile(join(work, "out", "a-large-one"), "12345678");
    expect((await collect(["out"], { bytes: 7 })).paths).toEqual(["out/deep/log.txt"]);
  });

  test("a path that is too long is left out, with everything below it", async () => {
    const deep = Array.from({ length: 15 }, () => "d".repeat(50)).join("/");
    await mkdir(join(work, deep, "more"), { recursive: true });
    await writeFile(join(work, deep, "more", "f"), "");
    const { paths, leftOut } = await collect(["."]);
    expect(paths).toEqual(rest);
    expect(Object.values(leftOut)).toEqual(["its path is longer than 700 bytes"]);
  });

  test("a path of exactly the greatest length is kept", async () => {
    expect((await collect(["out"], { path: "out/deep/log.txt".length })).paths).toEqual(rest);
    expect((await collect(["out"], { path: "out/deep/log.txt".length - 1 })).paths).toEqual(["out/model.bin"]);
  });

  test("a requested folder without files is not missing", async () => {
    await mkdir(join(work, "empty"));
    expect(await collect(["empty"])).toMatchObject({ paths: [], missing: [] });
  });

  test("the total size that files would exceed is given in GiB", async () => {
    await truncate(join(work, "out", "model.bin"), 2 * 1024 ** 3 + 1);
    expect(await collect(["out/*.bin"], { bytes: 2 * 1024 ** 3 })).toMatchObject({
      leftOut: { "out/model.bin": "with it, the files would exceed 2 GiB in total" },
    });
  });

  test("the first files that are left out are listed by name, and further ones are counted", async () => {
    for (let n = 0; n < 30; n++) await writeFile(join(work, `f${10 + n}`), "");
    const { paths, leftOut, leftOutMore } = await collect(["."], { files: 5, listed: 10 });
    expect(paths).toEqual(["f10", "f11", "f12", "f13", "f14"]);
    expect(Object.keys(leftOut)).toEqual(Array.from({ length: 10 }, (_, n) => `f${15 + n}`));
    expect(leftOutMore).toBe(17);
  });

  test("the entries of a folder over its limit are left out, and the folder is listed", async () => {
    for (let n = 0; n < 30; n++) await writeFile(join(work, "out", `f${10 + n}`), "");
    const { paths, leftOut } = await collect(["out"], { inFolder: 8 });
    expect(paths.length).toBeLessThanOrEqual(8);
    expect(leftOut).toEqual({ out: "it has too many entries, or the globs take too long to match, so a part of it was not searched" });
    expect((await collect(["out/m*"], { inFolder: 8 })).paths).toEqual(["out/model.bin"]);
  });
});

test("globs that take very long neither block the worker's other work nor delay the upload", async () => {
  for (let n = 0; n < 150; n++) await writeFile(join(work, `${"a".repeat(200)}${n}`), "");
  const globs = Array.from({ length: 100 }, (_, n) => `${"{a,*a}".repeat(5)}${"*a".repeat(100)}b${n}`);
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 5);
  const startedMs = performance.now();
  const { paths, missing } = await collect(["out", ...globs], { matchMs: 200 });
  clearInterval(timer);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  expect(turns).toBeGreaterThan(1);
  expect(paths.length + missing.length).toBeGreaterThanOrEqual(100);
});

test("files are kept under escaped names if these are not UTF-8 or contain characters that a path may not have", async () => {
  const put = (name: Buffer | string) => writeFile(Buffer.concat([Buffer.from(`${work}/out/`), Buffer.from(name)]), "x");
  for (const name of [Buffer.from("caf\xe9.txt", "latin1"), "logs\\events.txt", "a\nb", "50%", "%41"]) await put(name);
  const { files, leftOut } = await collect(["out/*"]);
  expect(leftOut).toEqual({});
  expect(files.map(({ path, escaped }) => (escaped ? [path] : path))).toEqual([
    ["out/%2541"],
    "out/50%",
    ["out/a%0Ab"],
    ["out/caf%E9.txt"],
    "out/deep/log.txt",
    ["out/logs%5Cevents.txt"],
    "out/model.bin",
  ]);
});
