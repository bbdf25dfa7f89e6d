import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Manifest } from "../../../events/artifacts/upload.ts";
import { artifactLimits } from "../../../lib/worker/artifacts/artifact-limits.ts";
import { collectArtifacts } from "../../../lib/worker/artifacts/artifacts.ts";
import { type OutboxContent, sealOutbox } from "../../../lib/worker/outbox/seal-outbox.ts";
import { openedOutbox, outboxOrder } from "./opened-outbox.ts";

const attempt = { team: "vision", job: "train-1", attempt: 1 };
const report = { ...attempt, phase: "exited", startedAtMs: 5, exitCode: 0, uploads: true } as const;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-outbox-"));
  await mkdir(join(folder, "work"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const collected = (...names: string[]) => collectArtifacts(join(folder, "work"), names, artifactLimits);

/** Seals and opens an outbox. Returns its parts by name, and its manifest. */
async function sealed(content: Partial<OutboxContent>, room?: number) {
  const file = join(folder, "outbox.sealed");
  const whole = { attempt, process: "p", report, rank: 0, segments: [], collected: undefined, ...content };
  const { isWhole } = await sealOutbox(whole, {
    order: outboxOrder(attempt),
    file,
    signal: new AbortController().signal,
    ...(room !== undefined && { room }),
  });
  const parts = await openedOutbox(await readFile(file), attempt);
  const list = parts.find(({ head }) => head.kind === "manifest");
  return {
    isWhole,
    names: parts.map(({ head }) => (head.kind === "file" ? head.path : head.kind === "segment" ? `segment ${head.number}` : head.kind)),
    manifest: list && Manifest.parse(JSON.parse(list.body.toString())),
  };
}

async function segment(number: number, bytes: number) {
  const file = join(folder, `${number}.gz`);
  await writeFile(file, Buffer.alloc(bytes));
  return { number, last: false, segment: { file, sha256: "a".repeat(64), fileBytes: bytes, bytes, offset: 0 } };
}

describe("the outbox of an attempt", () => {
  test("files that do not fit into the outbox are left out, the largest first, and the manifest says so", async () => {
    for (const [name, bytes] of Object.entries({ large: 5_000, small: 10, middle: 900 }))
      await writeFile(join(folder, "work", name), Buffer.alloc(bytes));
    const { names, manifest, isWhole } = await sealed({ collected: await collected("large", "middle", "small") }, 1_000);
    expect(isWhole).toBe(false);
    expect(names).toEqual(["end", "small", "middle", "manifest"]);
    expect(manifest).toMatchObject({
      incomplete: true,
      artifacts: [{ path: "middle" }, { path: "small" }],
      leftOut: [{ path: "large", because: "it did not fit into the outbox of its node" }],
    });
    const whole = await sealed({ collected: await collected("large", "middle", "small") }, 6_000);
    expect([whole.names.length, whole.manifest?.incomplete, whole.isWhole]).toEqual([5, undefined, true]);
  });

  test("the newest parts of a log are kept if not all fit, and a part that was uploaded meanwhile is left out", async () => {
    const segments = [await segment(0, 300), await segment(1, 400), await segment(2, 500)];
    expect(await sealed({ segments }, 1_000)).toMatchObject({ names: ["end", "segment 1", "segment 2"], isWhole: false });
    await rm(join(folder, "1.gz"));
    expect(await sealed({ segments }, 10_000)).toMatchObject({ names: ["end", "segment 0", "segment 2"], isWhole: true });
  });

  test("a file that was replaced or shortened after it was collected spoils nothing else", async () => {
    for (const name of ["a", "b", "c"]) await writeFile(join(folder, "work", name), name.repeat(100));
    const files = await collected("a", "b", "c");
    await rm(join(folder, "work", "a"));
    await symlink("/etc/passwd", join(folder, "work", "a"));
    await truncate(join(folder, "work", "b"), 7);
    const { names, manifest } = await sealed({ collected: files });
    expect(names).toEqual(["end", "b", "c", "manifest"]);
    expect(manifest?.artifacts.map(({ path, bytes }) => [path, bytes])).toEqual([
      ["b", 7],
      ["c", 100],
    ]);
  });

  test("the file that it is written to can be read by the worker only", async () => {
    await sealed({});
    const { stat } = await import("node:fs/promises");
    expect((await stat(join(folder, "outbox.sealed"))).mode & 0o777).toBe(0o600);
  });
});
