import { mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ByteSource } from "../../../lib/model/files/byte-source.ts";
import { artifactLimits } from "../../../lib/worker/artifacts/artifact-limits.ts";
import { whyFailed } from "../../../lib/worker/artifacts/artifacts.ts";
import { openSource } from "../../../lib/worker/artifacts/file-source.ts";
import { readRequests } from "../../../lib/worker/artifacts/requests.ts";
import { uploadFault } from "../../../lib/worker/artifacts/upload-file.ts";
import { entryWriter } from "../../../lib/worker/code/entry-writer.ts";
import type { TarEntry } from "../../../lib/worker/code/tar-reader.ts";
import { limitRuntime } from "../../../lib/worker/program/running.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-bytes-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a source of bytes", () => {
  const sourceOf = (...chunks: readonly string[]) =>
    new ByteSource(
      (async function* () {
        for (const chunk of chunks) yield Buffer.from(chunk);
      })(),
    );

  test("a source returns as many bytes as were asked for, from several chunks, and fewer only at its end", async () => {
    const source = sourceOf("abc", "", "de", "fgh");
    expect(String(await source.take(2))).toBe("ab");
    expect(String(await source.take(1))).toBe("c");
    expect(String(await source.take(4))).toBe("defg");
    expect(String(await source.take(9))).toBe("h");
    expect(String(await source.take(1))).toBe("");
  });

  test("a source returns what is available, at most as much as was asked for, and nothing at its end", async () => {
    const source = sourceOf("abc", "", "d");
    const some = async (most: number) => (await source.some(most))?.toString();
    expect([await some(2), await some(2), await some(9), await some(1)]).toEqual(["ab", "c", "d", undefined]);
  });
});

describe("the entries of an archive on the disk", () => {
  const entry = (over: Partial<TarEntry>): TarEntry => ({
    path: "a",
    linkpath: "",
    size: 1,
    type: "File",
    mode: 0o640,
    mtime: undefined,
    body: async function* () {
      yield Buffer.from("x");
    },
    ...over,
  });
  const writer = (maxFolders = 10) => entryWriter({ folder, owner: undefined, maxFolders });

  test.each([
    ["as the archive says", 1_000_000, true],
    ["not before 1970", 0, false],
    ["not before 1970, if it is negative", -5, false],
    ["up to a time that every file system accepts", 2 ** 33 - 1, true],
    ["not beyond that", 2 ** 33, false],
  ])("a file's time is %s", async (_what, mtime, isKept) => {
    await writer()(entry({ mtime }));
    const { mtimeMs, mode } = await stat(join(folder, "a"));
    expect(mtimeMs === mtime * 1000).toBe(isKept);
    expect(mode & 0o777).toBe(0o640);
    expect(await readFile(join(folder, "a"), "utf8")).toBe("x");
  });

  test("an archive may have as many folders as allowed, and not one more", async () => {
    const write = writer(3);
    await write(entry({ path: "one/two/a" }));
    await write(entry({ path: "one/two/b" }));
    await expect(write(entry({ path: "one/two/three/a" }))).rejects.toThrow("it has more than 3 folders");
  });

  test("a hard link to itself changes nothing", async () => {
    const write = writer();
    await write(entry({}));
    await write(entry({ type: "Link", linkpath: "a" }));
    expect(await readFile(join(folder, "a"), "utf8")).toBe("x");
  });
});

describe("a file that is uploaded", () => {
  const place = (name: string) => Buffer.from(join(folder, name));
  async function identityOf(name: string): Promise<string> {
    const { dev, ino } = await stat(join(folder, name));
    return `${dev}/${ino}`;
  }

  test("a file is read as it was when it was opened, even if it grows", async () => {
    await writeFile(join(folder, "a"), "abc");
    const source = await openSource({ place: place("a"), identity: await identityOf("a") });
    await writeFile(join(folder, "a"), "abcdef");
    expect([source.bytes, String(await buffer(source.stream))]).toEqual([3, "abc"]);
    await source.close();
    await source.close();
  });

  test("an empty file has no bytes", async () => {
    await writeFile(join(folder, "a"), "");
    const source = await openSource({ place: place("a"), identity: await identityOf("a") });
    expect([source.bytes, (await buffer(source.stream)).length]).toEqual([0, 0]);
    await source.close();
  });

  test.each([
    ["was removed", "gone", "it was removed while the files were uploaded"],
    ["has a folder that is now a file", "a/b", "it was removed while the files were uploaded"],
    ["became a link", "link", "it was replaced while the files were uploaded"],
    ["is another file", "a", "it was replaced while the files were uploaded"],
  ])("a file is left out with the reason if it %s", async (_what, name, why) => {
    await writeFile(join(folder, "a"), "x");
    await symlink("a", join(folder, "link"));
    await expect(openSource({ place: place(name), identity: "0/0" })).rejects.toMatchObject({ name: "Unreadable", message: why });
  });

  test("a folder in place of a file is left out, even if it has the same identity", async () => {
    await expect(openSource({ place: Buffer.from(folder), identity: await identityOf(".") })).rejects.toThrow("it was replaced");
  });

  test.each(["NoSuchBucket", "AccessDenied", "Forbidden", "KMS.DisabledException"])(
    "an upload that S3 refuses with %s is tried only a few times",
    (name) => {
      const error = Object.assign(new Error("no"), { name });
      expect(uploadFault("it", error)).toMatchObject({
        code: "upload-refused",
        retry: true,
        cause: error,
        message: "it could not be uploaded: no",
      });
    },
  );

  test.each([Object.assign(new Error("no"), { name: "SlowDown" }), Object.assign(new Error("no"), { name: "NotKMS" }), "no"])(
    "an upload that fails otherwise is tried for longer: %s",
    (error) => {
      expect(uploadFault("it", error)).toMatchObject({ code: "upload", retry: true, cause: error });
    },
  );
});

describe("what a job names as its artifacts", () => {
  test("the choices of all globs together are limited to 256, and a glob beyond them is taken as one", async () => {
    const braces = `{${Array.from({ length: 255 }, (_, n) => `a${n}`).join(",")}}`;
    const requests = await readRequests(folder, [braces, "{b,c}", "{d,e}"]);
    expect(requests.map(({ patterns }) => patterns.length)).toEqual([255, 2, expect.any(Number)]);
    expect(requests.map(({ isLiteral, required }) => [isLiteral, required])).toEqual([
      [false, false],
      [false, false],
      [false, false],
    ]);
  });

  test("a name with glob characters is a path if such a file exists, and an object says whether it is required", async () => {
    await writeFile(join(folder, "a[1]"), "");
    const requests = await readRequests(folder, ["a[1]", "b[1]", { path: "./c", required: true }]);
    expect(requests.map(({ name, isLiteral, required }) => [name, isLiteral, required])).toEqual([
      ["a[1]", true, false],
      ["b[1]", false, false],
      ["./c", true, true],
    ]);
  });

  test("the limits are those that one sealing function can handle", () => {
    const { listed: _, ...limits } = artifactLimits;
    expect(limits).toEqual({ files: 1_500, bytes: 10 * 1024 ** 3, path: 700, inFolder: 100_000, entries: 1_000_000, matchMs: 60_000 });
  });

  test("the reason of a job without required artifacts names each of them, and is cut after 2,000 characters", () => {
    const required = (name: string) => ({ name, required: true, isLiteral: true, patterns: [] });
    const [one, two] = [required("one"), required("two")];
    expect(whyFailed({ required: [one, two], missing: ["one"] }, [])).toBe(
      'the required artifact "one" is missing; no file of the required artifact "two" could be kept',
    );
    expect(whyFailed({ required: [], missing: ["one"] }, [])).toBeUndefined();
    expect(whyFailed({ required: [required("x".repeat(3_000))], missing: [] }, [])).toHaveLength(2_000);
  });
});

test("a program that ends in time keeps its end, and one that is stopped passes the grace period on", async () => {
  const stops: number[] = [];
  const end = Promise.withResolvers<{ kind: "exited"; code: number }>();
  const running = { startedAtMs: 7, ended: end.promise, stop: (graceMs: number) => void stops.push(graceMs) };
  const limited = limitRuntime(running, { maxRuntimeMs: 600_000, graceMs: 5 });
  limited.stop(3);
  end.resolve({ kind: "exited", code: 9 });
  expect([limited.startedAtMs, await limited.ended, stops]).toEqual([7, { kind: "exited", code: 9 }, [3]]);
});

test("a program that runs too long is stopped with the grace period and has that reason", async () => {
  const end = Promise.withResolvers<{ kind: "exited"; code: number }>();
  const stops: number[] = [];
  const stop = (graceMs: number): void => {
    stops.push(graceMs);
    end.resolve({ kind: "exited", code: 0 });
  };
  const limited = limitRuntime({ startedAtMs: 7, ended: end.promise, stop }, { maxRuntimeMs: 2, graceMs: 5 });
  expect([await limited.ended, stops]).toEqual([{ kind: "exited", code: 124, reason: "ran longer than 0.002 s" }, [5]]);
});
