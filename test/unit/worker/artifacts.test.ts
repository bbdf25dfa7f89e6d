import { once } from "node:events";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { artifactLimits, collectArtifacts } from "../../../lib/worker/artifacts.ts";

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

const collect = (paths: string[], limits = artifactLimits) => collectArtifacts(work, paths, limits);

describe("artifacts", () => {
  test("are files, and all files of folders, each once and in order", async () => {
    expect(await collect(["out", "./out//model.bin", "out/"])).toEqual([
      { path: "out/deep/log.txt", file: join(work, "out/deep/log.txt"), bytes: 4 },
      { path: "out/model.bin", file: join(work, "out/model.bin"), bytes: 7 },
    ]);
    expect((await collect(["."])).map((file) => file.path)).toEqual(["out/deep/log.txt", "out/model.bin"]);
    expect(await collect([])).toEqual([]);
  });

  test("may be reached by links that stay inside", async () => {
    await symlink("out/deep", join(work, "latest"));
    await symlink("model.bin", join(work, "out", "best.bin"));
    expect((await collect(["latest", "out/best.bin"])).map(({ path, file }) => [path, file])).toEqual([
      ["latest/log.txt", join(work, "out/deep/log.txt")],
      ["out/best.bin", join(work, "out/model.bin")],
    ]);
  });

  test("that are missing fail the job, by their name", async () => {
    await expect(collect(["out", "results"])).rejects.toThrow('the job succeeded but left no "results"');
  });

  test.each([
    ["../../secret", "leads outside"],
    ["/etc/hostname", "leads outside"],
    ["../..", "leads outside"],
    ["nothing", "leads nowhere"],
    [".", "that it lies in"],
  ])("behind a link to %s are refused", async (target, why) => {
    await symlink(target, join(work, "out", "link"));
    await expect(collect(["out"])).rejects.toThrow(why);
  });

  test("a folder that became a link outside is refused", async () => {
    await symlink(folder, join(work, "all"));
    await expect(collect(["all/secret"])).rejects.toThrow("leads outside");
  });

  test("that are neither file nor folder, too many, too large or too deep are refused", async () => {
    await expect(collect(["out"], { files: 1, bytes: 100 })).rejects.toThrow("more than 1 files");
    await expect(collect(["out"], { files: 9, bytes: 10 })).rejects.toThrow("larger than 10 bytes");
    const socket = createServer().listen(join(work, "out", "socket"));
    await once(socket, "listening");
    await expect(collect(["out"])).rejects.toThrow("neither a file nor a folder");
    socket.close();
    const deep = Array.from({ length: 15 }, () => "d".repeat(50)).join("/");
    await mkdir(join(work, deep), { recursive: true });
    await writeFile(join(work, deep, "f"), "");
    await expect(collect(["d".repeat(50)])).rejects.toThrow("longer than 700 bytes");
  });
});
