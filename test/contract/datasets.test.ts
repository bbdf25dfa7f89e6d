import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { CreateQueueCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import pMap from "p-map";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { shardsMessage } from "../../events/dataset.ts";
import { s3Client } from "../../lib/aws/clients/s3.ts";
import { sqsClient } from "../../lib/aws/clients/sqs.ts";
import { s3ShardStore } from "../../lib/aws/datasets/shard-store.ts";
import { sqsShardQueue } from "../../lib/aws/queues/shard-queue.ts";
import { putItem, type TableAccess } from "../../lib/aws/table/access.ts";
import { datasetItem } from "../../lib/aws/table/datasets/dataset-item.ts";
import { createDatasets } from "../../lib/aws/table/datasets/datasets.ts";
import { datasetCountKey } from "../../lib/aws/table/keys.ts";
import type { Dataset, Shard } from "../../lib/model/dataset.ts";
import { sourceUrl } from "../../lib/model/dataset.ts";
import { MemoryDatasets, MemoryShardStore } from "../../lib/sim/memory/datasets.ts";
import { NodeData } from "../../lib/worker/data/datasets.ts";
import { ShardCache } from "../../lib/worker/data/shard-cache.ts";
import { systemClock } from "../../lib/worker/runtime/clock.ts";
import { monday } from "../fakes/builders.ts";
import { beforeNextWrite } from "./race.ts";
import { datasetsContract } from "./suites/datasets.ts";
import { shardStoreContract } from "./suites/shard-store.ts";
import { unique, wire } from "./wire.ts";

const settings = wire(inject("ministackUrl"));
const s3 = s3Client(settings);
// A page has twenty keys, so that a few objects need more than one page.
s3.middlewareStack.add(
  (next, context) => (args) =>
    next(context.commandName === "ListObjectsV2Command" ? { ...args, input: { ...args.input, MaxKeys: 20 } } : args),
  { step: "initialize", name: "small-pages" },
);
const sqs = sqsClient(settings);
const bucket = unique("datasets");
beforeAll(async () => void (await s3.send(new CreateBucketCommand({ Bucket: bucket }))));

datasetsContract("in memory", async () => new MemoryDatasets());
/** Returns an empty table, and a client of its own. */
async function newTable(): Promise<{ readonly base: DynamoDBClient; readonly access: TableAccess }> {
  const { endpoint = "", region = "", credentials } = settings;
  const base = new DynamoDBClient({ endpoint, region, ...(credentials ? { credentials } : {}) });
  const table = unique("datasets");
  await base.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: ["pk", "sk"].map((AttributeName) => ({ AttributeName, AttributeType: "S" as const })),
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
    }),
  );
  return { base, access: { client: DynamoDBDocumentClient.from(base), table } };
}
datasetsContract("in DynamoDB", async () => createDatasets((await newTable()).access));

describe("the count of a team's datasets", () => {
  const aDataset = (dataset: string): Dataset => ({
    team: "vision",
    dataset,
    id: `id-of-${dataset}`,
    source: { bucket: "datasets", prefix: "vision/" },
    state: "listing",
    addedAtMs: monday,
  });

  test("datasets that an earlier release added without a count are counted by the first one that is added", async () => {
    const { access } = await newTable();
    const datasets = createDatasets(access);
    for (const name of ["a", "b"]) await putItem(access, datasetItem(aDataset(name)));
    expect(await datasets.remove({ team: "vision", dataset: "a" })).toBe("done");
    expect(await datasets.remove({ team: "vision", dataset: "a" })).toBe("absent");
    expect(await datasets.add(aDataset("c"), 2)).toMatchObject({ dataset: "c" });
    expect(await datasets.add(aDataset("d"), 2)).toBe("full");
    await putItem(access, { ...datasetCountKey("vision"), count: 7 });
    expect(await datasets.add(aDataset("d"), 3), "a count that is too high").toMatchObject({ dataset: "d" });
    expect(await datasets.add(aDataset("e"), 3)).toBe("full");
  });

  test("the count is right although another dataset is added while the datasets are counted", async () => {
    const { base, access } = await newTable();
    const datasets = createDatasets(access);
    await putItem(access, datasetItem(aDataset("a")));
    const isCount = (input: string): boolean => input.includes("attribute_not_exists") && input.includes("DN#") && !input.includes("Put");
    const race = beforeNextWrite(base, () => datasets.add(aDataset("b"), 3), isCount);
    expect(await datasets.add(aDataset("c"), 3)).toMatchObject({ dataset: "c" });
    expect(race.happened()).toBe(true);
    expect((await datasets.list("vision")).map(({ dataset }) => dataset)).toEqual(["a", "b", "c"]);
    expect(await datasets.add(aDataset("d"), 3)).toBe("full");
  });
});

shardStoreContract("in memory", async () => {
  const store = new MemoryShardStore(() => monday);
  const source = { bucket: "datasets", prefix: "vision/mnist/" };
  return {
    store,
    source,
    now: () => monday,
    put: async (paths) => {
      const shards = Object.entries(paths).map(([path, bytes]) => ({ key: `${source.prefix}${path}`, bytes, etag: "e1" }));
      store.sources.set(
        sourceUrl(source),
        [...shards].sort((a, b) => (a.key < b.key ? -1 : 1)),
      );
      return shards;
    },
  };
});

const put = async (Key: string, Body: Buffer): Promise<Shard> => {
  const { ETag = "" } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
  return { key: Key, bytes: Body.length, etag: ETag.replaceAll('"', "") };
};

shardStoreContract("in S3", async () => {
  // Each test has its own store.
  const own = unique("shards");
  await s3.send(new CreateBucketCommand({ Bucket: own }));
  const source = { bucket: own, prefix: "vision/mnist/" };
  return {
    store: s3ShardStore(s3, own),
    source,
    now: Date.now,
    put: (paths) =>
      pMap(Object.entries(paths), async ([path, bytes]) => {
        const Key = `${source.prefix}${path}`;
        const { ETag = "" } = await s3.send(new PutObjectCommand({ Bucket: own, Key, Body: Buffer.alloc(bytes) }));
        return { key: Key, bytes, etag: ETag.replaceAll('"', "") };
      }),
  };
});

describe("a source in S3", () => {
  const store = s3ShardStore(s3, bucket);

  test("a source with more keys than a page is listed completely, without the folder markers of a console", async () => {
    const prefix = `vision/${unique("many")}/`;
    await put(prefix, Buffer.alloc(0));
    await put(`${prefix}train/`, Buffer.alloc(0));
    const keys = Array.from({ length: 63 }, (_, n) => `${prefix}train/${String(n).padStart(5, "0")}`);
    await pMap(keys, (key) => put(key, Buffer.from("x")), { concurrency: 32 });
    const listed = await store.list({ bucket, prefix });
    expect(listed.kind === "listed" && listed.shards.map((shard) => shard.key)).toEqual(keys);
  });

  test("a source's keys are listed as they are, whatever characters they contain", async () => {
    const prefix = `vision/${unique("odd")}/`;
    const names = ["100%", "a b", "a+b", "a%20b", "new\nline", "re\rturn", "tab\t", "\u0001", "<&>", "ü/日本", " edge "];
    const expected = await pMap(names, (name) => put(`${prefix}${name}`, Buffer.from(name)));
    const listed = await store.list({ bucket, prefix });
    const byKey = (a: Shard, b: Shard): number => (a.key < b.key ? -1 : 1);
    expect(listed.kind === "listed" && [...listed.shards].sort(byKey)).toEqual([...expected].sort(byKey));
  });

  test("a source that does not exist is reported in words", async () => {
    const none = `none-${unique("x")}`;
    expect(await store.list({ bucket: none, prefix: "" })).toEqual({ kind: "trouble", reason: `there is no bucket ${none}` });
  });

  test("a source is listed without the objects that no job can read, and these are named", async () => {
    const prefix = `vision/${unique("bad")}/`;
    const good = await put(`${prefix}good`, Buffer.from("x"));
    const below = await put(`${prefix}c/d`, Buffer.from("x"));
    await put(`${prefix}a//b`, Buffer.from("x"));
    await put(`${prefix}c`, Buffer.from("x"));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}old`, Body: "x", StorageClass: "DEEP_ARCHIVE" }));
    expect(await store.list({ bucket, prefix })).toEqual({
      kind: "listed",
      shards: [below, good],
      skipped: {
        objects: 3,
        examples: [
          { key: `${prefix}a//b`, because: expect.stringContaining("empty part") },
          { key: `${prefix}c`, because: "is a file where other keys have a folder" },
          { key: `${prefix}old`, because: expect.stringContaining("is archived (DEEP_ARCHIVE)") },
        ],
      },
    });
  });

  test("an object that is not a list of shards is not read as one", async () => {
    await put("_fleetwright/vision/x/shards/1.json.gz", Buffer.from("{}"));
    await expect(store.read("_fleetwright/vision/x/shards/1.json.gz")).rejects.toMatchObject({ code: "shard-list" });
  });
});

test("a message asks for a dataset's rebalancing, with or without a new listing", async () => {
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: unique("shards") }));
  const queue = sqsShardQueue(sqs, QueueUrl);
  const ref = { team: "vision", dataset: "mnist" };
  await queue.send(ref);
  await queue.send(ref, { relist: true });
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 }));
  const messages = Messages.map((message) => shardsMessage(JSON.parse(message.Body ?? "")));
  expect(messages).toHaveLength(2);
  expect(messages).toEqual(expect.arrayContaining([true, false].map((relist) => ({ kind: "rebalance", ...ref, relist }))));
});

describe("a worker and S3", () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "fw-data-"));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));
  const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

  test("objects of one part and of several arrive unchanged, and an object that was overwritten meanwhile is refused", async () => {
    const prefix = `vision/${unique("fetch")}/`;
    const small = randomBytes(100_000);
    const parts = [randomBytes(5 * 1024 * 1024), randomBytes(1_000)];
    const Key = `${prefix}deep/large`;
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
    const Parts = await pMap(parts, async (Body, n) => {
      const { ETag } = await s3.send(new UploadPartCommand({ Bucket: bucket, Key, UploadId, PartNumber: n + 1, Body }));
      return { ETag, PartNumber: n + 1 };
    });
    await s3.send(new CompleteMultipartUploadCommand({ Bucket: bucket, Key, UploadId, MultipartUpload: { Parts } }));
    await put(`${prefix}small ü+`, small);
    await put(`${prefix}empty`, Buffer.alloc(0));

    const store = s3ShardStore(s3, bucket);
    const source = { bucket, prefix };
    const listed = await store.list(source);
    if (listed.kind !== "listed") throw new Error(listed.reason);
    const list = { bucket, key: await store.write({ team: "vision", dataset: "mnist", source, listing: 1 }, "shards/1-a", listed.shards) };
    const data = new NodeData(new ShardCache(root));
    const fetch = async (job: string) => {
      const order = {
        attempt: { team: "vision", job, attempt: 1 },
        datasets: [{ name: "mnist", version: 1, list }],
        folder: join(root, job),
        s3,
        tries: { clock: systemClock, random: Math.random, signal: new AbortController().signal, most: 2 },
        onLine: () => undefined,
      };
      await data.fetch(order, await data.lists(order));
    };
    await fetch("a");
    expect(sha256(await readFile(join(root, "a", "mnist", "deep", "large")))).toBe(sha256(Buffer.concat(parts)));
    expect(sha256(await readFile(join(root, "a", "mnist", "small ü+")))).toBe(sha256(small));
    expect(await readFile(join(root, "a", "mnist", "empty"))).toHaveLength(0);
    expect(data.fetched()).toMatchObject([{ shards: 3, bytes: small.length + 5 * 1024 * 1024 + 1_000 }]);

    await put(`${prefix}small ü+`, randomBytes(100_000));
    await rm(join(root, "data"), { recursive: true });
    await expect(fetch("b")).rejects.toMatchObject({ code: "shard-changed", retry: true });
  });
});
