import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DecryptCommand, type DescribeKeyCommand, type KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { outboxKey } from "../../events/outbox/outbox.ts";
import { kmsOutboxKeys } from "../../lib/aws/access/outbox-keys.ts";
import { s3LeftOutboxes } from "../../lib/aws/islands/left-outboxes.ts";
import { s3Outboxes } from "../../lib/aws/islands/outboxes.ts";
import type { OutboxRef } from "../../lib/model/job.ts";
import type { LeftOutboxes, Outboxes } from "../../lib/ports/islands/outboxes.ts";
import { MemoryOutboxes } from "../../lib/sim/memory/islands/outboxes.ts";
import { artifactLimits } from "../../lib/worker/artifacts/artifact-limits.ts";
import { collectArtifacts } from "../../lib/worker/artifacts/artifacts.ts";
import { leaveOutbox } from "../../lib/worker/outbox/leave-outbox.ts";
import { type OutboxContent, sealOutbox } from "../../lib/worker/outbox/seal-outbox.ts";
import { systemClock } from "../../lib/worker/runtime/clock.ts";
import { sealingStage } from "./sealing-stage.ts";
import { anAttempt, describing } from "./suites/artifacts.ts";

const { s3, kms, incomingBucket, keyAliasPrefix, open } = sealingStage();
beforeAll(open);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "outboxes-"));
  await mkdir(join(folder, "work"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const role = "AROAABCDEFGHIJKLMNOP";
const node = "i-0123456789abcdef0";
const anOutbox = (over: Partial<OutboxRef> = {}): OutboxRef => ({ ...anAttempt(), role, node, ...over });
const reportOf = ({ team, job, attempt }: OutboxRef) =>
  ({ team, job, attempt, phase: "exited", startedAtMs: 5, exitCode: 0, uploads: true }) as const;

/** What the suite runs on. `leave` does what a node does. `delivered` returns the uploads of an attempt, by key below its prefix. */
type Stage = {
  readonly outboxes: Outboxes;
  readonly found: LeftOutboxes;
  leave(outbox: OutboxRef, files: Readonly<Record<string, Buffer>>): Promise<void>;
  delivered(outbox: OutboxRef): Promise<ReadonlyMap<string, Buffer>>;
};

const prefixOf = ({ team, job, attempt }: OutboxRef): string => `${team}/${job}/${attempt}/`;

function inMemory(): Stage {
  const incoming = new Map<string, Buffer>();
  const outboxes = new MemoryOutboxes(incoming, Date.now);
  return {
    outboxes,
    found: outboxes,
    leave: async (outbox, files) => {
      const { team, job, attempt } = outbox;
      const artifacts = Object.entries(files).map(([path, bytes]) => describing(path, bytes));
      const manifest = { version: 2 as const, team, job, attempt, artifacts, leftOut: [], missing: [] };
      outboxes.leave(outbox, { process: "p1", report: reportOf(outbox), files, manifest });
    },
    delivered: async (outbox) =>
      new Map(
        [...incoming].flatMap(([key, bytes]) => (key.startsWith(prefixOf(outbox)) ? [[key.slice(prefixOf(outbox).length), bytes]] : [])),
      ),
  };
}

const content = async (outbox: OutboxRef, files: Readonly<Record<string, Buffer>>): Promise<OutboxContent> => {
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, "work", name), bytes, { mode: 0o644 });
  const collected = await collectArtifacts(join(folder, "work"), Object.keys(files), artifactLimits);
  const { team, job, attempt } = outbox;
  return { attempt: { team, job, attempt }, process: "p1", report: reportOf(outbox), rank: 0, segments: [], collected };
};
const orderFor = async (outbox: OutboxRef) => ({
  bucket: incomingBucket,
  key: outboxKey(outbox),
  ...(await kmsOutboxKeys(kms, keyAliasPrefix).generate(outbox)),
});
const tries = () => ({ clock: systemClock, random: Math.random, signal: AbortSignal.timeout(20_000) });

const overTheWire = (): Stage => ({
  outboxes: s3Outboxes({ s3, kms, incomingBucket, keyAliasPrefix }),
  found: s3LeftOutboxes(s3, incomingBucket),
  async leave(outbox, files) {
    await leaveOutbox(s3, { content: await content(outbox, files), order: await orderFor(outbox), folder }, tries());
  },
  delivered: async (outbox) => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: incomingBucket, Prefix: prefixOf(outbox) }));
    const read = async (Key: string): Promise<[string, Buffer]> => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: incomingBucket, Key }));
      return [Key.slice(prefixOf(outbox).length), Buffer.from((await Body?.transformToByteArray()) ?? [])];
    };
    return new Map(await Promise.all(Contents.map(({ Key = "" }) => read(Key))));
  },
});

describe.each([
  ["in memory", inMemory],
  ["S3 and KMS", overTheWire],
])("outboxes: %s", (_name, make) => {
  test("what a node leaves is delivered to where its worker would have uploaded it, however often it is opened", async () => {
    const { outboxes, leave, delivered } = make();
    const outbox = anOutbox();
    const files = { "model.pt": Buffer.from("weights"), "log.txt": Buffer.alloc(0) };
    await leave(outbox, files);
    for (const time of ["once", "twice"]) {
      const opened = await outboxes.open(outbox);
      expect(opened, time).toMatchObject({ process: "p1", report: reportOf(outbox) });
      expect(await opened?.deliver()).toEqual({ isWhole: true });
      opened?.close();
      const found = await delivered(outbox);
      expect([...found.keys()].toSorted()).toEqual(["files/log.txt", "files/model.pt", "manifest.json"]);
      expect(found.get("files/model.pt")).toEqual(files["model.pt"]);
      const { artifacts } = JSON.parse(found.get("manifest.json")?.toString() ?? "");
      expect(artifacts).toEqual(expect.arrayContaining([describing("model.pt", files["model.pt"])]));
    }
  });

  test("an outbox that is only opened delivers nothing", async () => {
    const { outboxes, leave, delivered } = make();
    const outbox = anOutbox();
    await leave(outbox, { "model.pt": Buffer.from("weights") });
    (await outboxes.open(outbox))?.close();
    expect((await delivered(outbox)).size).toBe(0);
  });

  test("there is no outbox where no node has left one", async () => {
    expect(await make().outboxes.open(anOutbox())).toBeUndefined();
  });

  test("an outbox is found with the time at which it was left, and no other is", async () => {
    const { found, leave } = make();
    const outbox = anOutbox({ attempt: 1 });
    await leave({ ...outbox, attempt: 11 }, {});
    expect(await found.leftAtMs(outbox)).toBeUndefined();
    const beforeMs = Date.now();
    await leave(outbox, {});
    // S3 counts in seconds.
    const atMs = (await found.leftAtMs(outbox)) ?? 0;
    expect(Math.abs(atMs - beforeMs)).toBeLessThan(20_000);
  });
});

describe("outboxes on S3", () => {
  const outboxes = s3Outboxes({ s3, kms, incomingBucket, keyAliasPrefix });
  const put = (outbox: OutboxRef, Body: Buffer) => s3.send(new PutObjectCommand({ Bucket: incomingBucket, Key: outboxKey(outbox), Body }));
  const sealedOf = async (outbox: OutboxRef, over: Partial<OutboxContent> = {}, files: Readonly<Record<string, Buffer>> = {}) => {
    const file = join(folder, "sealed");
    const { signal } = new AbortController();
    await sealOutbox({ ...(await content(outbox, files)), ...over }, { order: await orderFor(outbox), file, signal });
    return readFile(file);
  };

  test("a large outbox is left in parts, and its log arrives as uploaded segments do", async () => {
    const outbox = anOutbox();
    const gzip = gzipSync("trained\n");
    await writeFile(join(folder, "0.gz"), gzip);
    const segment = { file: join(folder, "0.gz"), sha256: "a".repeat(64), fileBytes: gzip.length, bytes: 8, offset: 0 };
    const files = { "large.bin": randomBytes(20 * 1024 ** 2) };
    const what = { ...(await content(outbox, files)), segments: [{ number: 3, segment, last: true }] };
    await leaveOutbox(s3, { content: what, order: await orderFor(outbox), folder }, tries());
    const opened = await outboxes.open(outbox);
    expect(await opened?.deliver()).toEqual({ isWhole: true });
    const found = await overTheWire().delivered(outbox);
    expect(found.get("files/large.bin")?.equals(files["large.bin"])).toBe(true);
    expect(found.get("log/0/000003.gz")).toEqual(gzip);
    const { Metadata } = await s3.send(new GetObjectCommand({ Bucket: incomingBucket, Key: `${prefixOf(outbox)}log/0/000003.gz` }));
    expect(Metadata).toEqual({ sha256: "a".repeat(64), bytes: "8", offset: "0", last: "true" });
  });

  test("an outbox of another attempt, node or team can never be opened, because KMS does not unwrap its key", async () => {
    const outbox = anOutbox();
    const sealed = await sealedOf(outbox);
    for (const other of [
      anOutbox(),
      anOutbox({ ...outbox, attempt: 2 }),
      anOutbox({ ...outbox, node: "i-0123456789abcdef1" }),
      anOutbox({ ...outbox, team: "audio" }),
    ]) {
      await put(other, sealed);
      await expect(outboxes.open(other), outboxKey(other)).rejects.toMatchObject({ code: "outbox", retry: false });
    }
  });

  test("an outbox that is cut off or changed is never delivered as a whole, and its manifest never arrives", async () => {
    const outbox = anOutbox();
    const sealed = await sealedOf(outbox, {}, { "model.pt": randomBytes(600_000) });
    for (const wrong of [sealed.subarray(0, 500_000), Buffer.concat([sealed.subarray(0, -1), Buffer.from([0])])]) {
      await put(outbox, wrong);
      const opened = await outboxes.open(outbox);
      await expect(opened?.deliver()).rejects.toMatchObject({ code: "outbox", retry: false });
      expect([...(await overTheWire().delivered(outbox)).keys()]).not.toContain("manifest.json");
    }
    await put(outbox, Buffer.from("not an outbox"));
    await expect(outboxes.open(outbox)).rejects.toMatchObject({ code: "outbox", retry: false });
  });

  test("an outbox whose list of files is that of another attempt is refused", async () => {
    const outbox = anOutbox();
    const other = { ...(await content(outbox, { "a.txt": Buffer.from("a") })), attempt: { team: "vision", job: "other", attempt: 1 } };
    await leaveOutbox(s3, { content: other, order: await orderFor(outbox), folder }, tries());
    await expect((await outboxes.open(outbox))?.deliver()).rejects.toMatchObject({ code: "manifest", retry: false });
  });

  test("a key that KMS cannot use now is tried again", async () => {
    const outbox = anOutbox();
    await put(outbox, await sealedOf(outbox));
    const busy = Object.assign(new Error("busy"), { name: "ThrottlingException" });
    const send = (command: object) => (command instanceof DecryptCommand ? Promise.reject(busy) : kms.send(command as DescribeKeyCommand));
    const trying = s3Outboxes({ s3, kms: { send } as Pick<KMSClient, "send">, incomingBucket, keyAliasPrefix });
    await expect(trying.open(outbox)).rejects.toMatchObject({ code: "outbox", retry: true });
    expect(await outboxes.open(outbox)).toMatchObject({ process: "p1" });
  });
});
