import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { DecisionRecord, Journal } from "../../ports/journal.ts";

const compress = promisify(gzip);

/** Returns the compressed form of a record. The fastest level takes half of the time of the usual one, for a fifth more bytes. */
export const compressed = (record: object): Promise<Buffer> => compress(JSON.stringify(record), { level: constants.Z_BEST_SPEED });

/** Writes one object per decision, so that one listing returns a pool's decisions of a day in order. */
export const s3Journal = (s3: Pick<S3Client, "send">, bucket: string): Journal => ({
  async record(decision) {
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: decisionKey(decision),
        Body: await compressed(decision),
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
