import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { DecisionRecord, Journal } from "../../ports/journal.ts";

const compress = promisify(gzip);

/** Writes one object per decision, so that one listing returns a pool's decisions of a day in order. */
export const s3Journal = (s3: Pick<S3Client, "send">, bucket: string): Journal => ({
  async record(decision) {
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: decisionKey(decision),
        Body: await compress(JSON.stringify(decision)),
        ContentType: "application/json",
        ContentEncoding: "gzip",
      }),
    );
  },
});

/** Returns `POOL/YYYY/MM/DD/HHMMSS.mmmZ-ID.json.gz`, in UTC. */
export function decisionKey({ pool, atMs, id }: Pick<DecisionRecord, "pool" | "atMs" | "id">): string {
  const [day = "", time = ""] = new Date(atMs).toISOString().split("T");
  return `${pool}/${day.replaceAll("-", "/")}/${time.replaceAll(":", "")}-${id}.json.gz`;
}
