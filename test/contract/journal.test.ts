import { gunzipSync } from "node:zlib";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { inject } from "vitest";
import { s3Client } from "../../lib/aws/clients/s3.ts";
import { s3Journal } from "../../lib/aws/decisions/journal.ts";
import { MemoryJournal } from "../../lib/sim/memory/journal.ts";
import { journalContract } from "./suites/journal.ts";
import { unique, wire } from "./wire.ts";

journalContract("in memory", async () => {
  const journal = new MemoryJournal();
  return { journal, recorded: async () => journal.decisions };
});

const s3 = s3Client(wire(inject("ministackUrl")));

journalContract("S3", async () => {
  const Bucket = unique("decisions");
  await s3.send(new CreateBucketCommand({ Bucket }));
  return {
    journal: s3Journal(s3, Bucket),
    recorded: async () => {
      const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "gpu/2026/06/01/" }));
      return Promise.all(
        (Contents ?? []).map(async ({ Key }) => {
          const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
          return JSON.parse(gunzipSync((await Body?.transformToByteArray()) ?? Buffer.alloc(0)).toString());
        }),
      );
    },
  };
});
