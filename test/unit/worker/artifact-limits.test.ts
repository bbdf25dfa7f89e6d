import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ArtifactLimits, artifactLimits } from "../../../lib/worker/artifacts/artifact-limits.ts";
import { collectArtifacts } from "../../../lib/worker/artifacts/artifacts.ts";

let work: string;
beforeEach(async () => {
  work = await realpath(await mkdtemp(join(tmpdir(), "fw-limits-")));
  await mkdir(join(work, "out"));
  for (let n = 0; n < 30; n++) await writeFile(join(work, "out", `f${10 + n}`), "");
});
afterEach(() => rm(work, { recursive: true, force: true }));

const reason = "it has too many entries, or the globs take too long to match, so a part of it was not searched";
async function collect(limits: Partial<ArtifactLimits>) {
  const { files, leftOut } = await collectArtifacts(work, ["out"], { ...artifactLimits, ...limits });
  return { count: files.length, cut: leftOut.listed.leftOut.filter(({ because }) => because === reason).map(({ path }) => path) };
}

test("entries beyond the limit over all folders are not searched, and their folder is listed", async () => {
  // The folder itself is the first entry.
  expect(await collect({ entries: 31 })).toEqual({ count: 30, cut: [] });
  expect(await collect({ entries: 30 })).toEqual({ count: 29, cut: ["out"] });
});

test("entries are not searched after the time for globs is used up, however few they are", async () => {
  const { count, cut } = await collect({ matchMs: 0 });
  expect(count).toBeLessThan(30);
  expect(cut.length).toBeGreaterThan(0);
});
