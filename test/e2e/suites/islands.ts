import { setTimeout as pause } from "node:timers/promises";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { beforeAll, expect, it } from "vitest";
import { type Stage, shell } from "../stage.ts";

/** Tests of nodes whose calls get no response. */
export function islandTests(on: () => Stage): void {
  let stage: Stage;
  beforeAll(() => {
    stage = on();
  });

  /** Kills each call of these functions until the returned function is called. */
  function outage(...functions: readonly string[]): () => Promise<void> {
    let isOver = false;
    const killing = (async () => {
      while (!isOver) {
        await Promise.all(functions.map((name) => stage.cloud.kill(name)));
        await pause(20);
      }
    })();
    return async () => {
      isOver = true;
      await killing;
    };
  }

  it("a run that ends while its node gets no response succeeds, although EC2 takes the node back before there is one", async () => {
    const id = await stage.send(shell("sleep 3; echo weights >model.pt", { id: "island", artifacts: ["model.pt"] }));
    const { node = "" } = await stage.until(id, (job) => job.state === "running");
    const end = outage("node", "place");
    try {
      await pause(4_000);
      stage.cloud.ec2.record.interrupt(node, { noticeMs: 40_000 });
      expect(await stage.until(id, (job) => job.state !== "running")).toMatchObject({ attempt: 1, exitCode: 0 });
    } finally {
      await end();
    }
    expect(await stage.ended(id)).toMatchObject({ state: "succeeded", attempt: 1, failures: 0, artifacts: { files: 1 } });
    const left = await stage.s3.send(new ListObjectsV2Command({ Bucket: stage.cloud.deployment.incomingBucket, Prefix: "islands/" }));
    expect(left.Contents?.map(({ Key }) => Key)).toEqual([
      expect.stringMatching(new RegExp(`^islands/AROA[A-Z0-9]+:${node}/research/island/1.sealed$`)),
    ]);
  });
}
