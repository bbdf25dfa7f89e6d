import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import pMap from "p-map";
import { beforeAll, expect, it } from "vitest";
import { documentClient } from "../../../lib/aws/clients/document-client.ts";
import { sqsClient } from "../../../lib/aws/clients/sqs.ts";
import { sqsShardQueue } from "../../../lib/aws/queues/shard-queue.ts";
import { createDatasets } from "../../../lib/aws/table/datasets/datasets.ts";
import { localSettings } from "../../../lib/cli/session/connection.ts";
import { type AddDeps, addDataset } from "../../../lib/flows/add-dataset.ts";
import type { Dataset } from "../../../lib/model/dataset.ts";
import { type Stage, shell } from "../stage.ts";

/** Tests of datasets as jobs see them. */
export function datasetTests(on: () => Stage): void {
  let stage: Stage;
  beforeAll(() => {
    stage = on();
  });

  let deps: AddDeps;
  let bucket: string;
  beforeAll(async () => {
    const { deployment } = stage.connection;
    const settings = localSettings(stage.cloud.endpoint);
    const sqs = sqsClient(settings);
    const { QueueUrl = "" } = await sqs.send(new GetQueueUrlCommand({ QueueName: `${deployment.name}-shards` }));
    bucket = deployment.datasetsBucket;
    deps = {
      datasets: createDatasets({ client: documentClient(settings), table: deployment.table }),
      shardQueue: sqsShardQueue(sqs, QueueUrl),
      datasetLimits: { perTeam: 200 },
      places: { datasetsBucket: bucket, dataBuckets: [] },
      now: Date.now,
      newId: () => crypto.randomUUID(),
    };
    const names = Array.from({ length: 24 }, (_, n) => `research/mnist/train/${String(n).padStart(2, "0")}.bin`);
    await pMap(names, (Key) => stage.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: `shard ${Key}` })), { concurrency: 8 });
    await addDataset(deps, { team: "research", dataset: "mnist", source: `s3://${bucket}/research/mnist/` });
    await addDataset(deps, { team: "research", dataset: "nothing", source: `s3://${bucket}/research/nothing/` });
  });

  const dataset = async (name = "mnist"): Promise<Dataset | undefined> => deps.datasets.get({ team: "research", dataset: name });
  const holders = async (): Promise<readonly string[]> => (await dataset())?.map?.holdings.map((each) => each.node) ?? [];

  it("a job finds its whole dataset, verified, and its node is in the map only while it needs the dataset", async () => {
    // Everything is writable for root, so the test checks the mode.
    const script =
      'cd "$FLEETWRIGHT_DATA/mnist" && test "$(find . -type f -perm 0444 | wc -l)" = 24 && grep -q "train/23.bin" train/23.bin';
    const id = await stage.send(shell(script, { datasets: ["mnist"] }));
    const job = await stage.ended(id);
    expect(job).toMatchObject({ state: "succeeded", attempt: 1 });
    expect(await dataset()).toMatchObject({ state: "ready", listing: { version: 1, shards: 24 } });
    await expect.poll(holders, { timeout: 15_000 }).toEqual([]);
  });

  it("each member of a gang has a part of the dataset, and the parts together are all of it", async () => {
    const script =
      'cd "$FLEETWRIGHT_DATA/mnist" && find . -type f | sort > "$HOME/part-$RANK.txt" && sleep 2 && test -s "$HOME/part-$RANK.txt" && ! grep -c . "$HOME/part-$RANK.txt" | grep -qx 24';
    const id = await stage.send(shell(script, { nodes: 2, datasets: [{ name: "mnist", share: "part" }] }));
    const running = await stage.until(id, (job) => job.state === "running" || job.state === "failed");
    expect(running.gang).toHaveLength(2);
    const { map } = (await dataset()) ?? {};
    expect(map?.holdings.map((each) => each.share)).toEqual(["part", "part"]);
    expect(map?.holdings.reduce((sum, each) => sum + each.shards, 0)).toBe(24);
    expect(await stage.ended(id)).toMatchObject({ state: "succeeded" });
  });

  it("an object that is added or deleted results in a new listing, which the next job sees", async () => {
    const before = (await dataset())?.listing?.version ?? 0;
    await stage.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "research/mnist/train/24.bin", Body: "new" }));
    await stage.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "research/mnist/train/00.bin" }));
    await expect.poll(async () => (await dataset())?.listing, { timeout: 20_000 }).toMatchObject({ shards: 24 });
    await expect.poll(async () => (await dataset())?.listing?.version, { timeout: 20_000 }).toBeGreaterThan(before);
    const id = await stage.send(
      shell('cd "$FLEETWRIGHT_DATA/mnist/train" && cat 24.bin && test ! -e 00.bin', { datasets: ["mnist"], retries: 0 }),
    );
    expect(await stage.ended(id)).toMatchObject({ state: "succeeded" });
  });

  it("a job that names an unavailable dataset is rejected at submission", async () => {
    await expect.poll(() => dataset("nothing"), { timeout: 20_000 }).toMatchObject({ state: "empty" });
    const [unknown, empty, foreign] = await Promise.all([
      stage.send(shell("true", { datasets: ["cifar"] })),
      stage.send(shell("true", { datasets: ["nothing"] })),
      stage.send(shell("true", { datasets: ["mnist"] }), "vision"),
    ]);
    expect(await stage.ended(unknown)).toMatchObject({ state: "rejected", reason: expect.stringContaining("no dataset named cifar") });
    expect(await stage.ended(empty)).toMatchObject({ state: "rejected", reason: expect.stringContaining("nothing is empty") });
    expect(await stage.ended(foreign, "vision")).toMatchObject({
      state: "rejected",
      reason: expect.stringContaining("team vision has no"),
    });
  });

  it("a foreign or invalid message is counted and acknowledged, and the same message twice changes nothing", async () => {
    const event = (...bodies: readonly object[]) => ({
      Records: bodies.map((body, n) => ({
        messageId: `m-${n}`,
        receiptHandle: `m-${n}`,
        body: JSON.stringify(body),
        eventSource: "aws:sqs",
        eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:fleetwright-shards",
        awsRegion: "us-east-1",
        attributes: {
          SentTimestamp: "1795511702000",
          ApproximateReceiveCount: "1",
          SenderId: "test",
          ApproximateFirstReceiveTimestamp: "1",
        },
        messageAttributes: {},
        md5OfBody: "",
      })),
    });
    const object = (name: string, key: string) => ({
      source: "aws.s3",
      "detail-type": "Object Created",
      detail: { bucket: { name }, object: { key } },
    });
    const invoke = async (...bodies: readonly object[]) => stage.cloud.invoke("rebalance-shards", event(...bodies));
    const done = { kind: "returned", payload: { batchItemFailures: [] } };
    const foreign = [
      {},
      { team: "research", dataset: "cifar" },
      { pool: "gpu" },
      object("elsewhere", "research/mnist/x"),
      object(bucket, "x"),
    ];
    expect(await invoke(...foreign)).toMatchObject(done);
    await expect.poll(holders, { timeout: 15_000 }).toEqual([]);
    const before = await dataset();
    const again = { team: "research", dataset: "mnist", relist: true };
    for (const _time of [1, 2]) expect(await invoke(again, again)).toMatchObject(done);
    expect(await dataset()).toEqual(before);
  });
}
