import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { outboxKey } from "../../../events/outbox/outbox.ts";
import type { LeftOutboxes } from "../../ports/islands/outboxes.ts";

/** Lists instead of asking for the object, because that would need the right to read it. */
export const s3LeftOutboxes = (s3: Pick<S3Client, "send">, bucket: string): LeftOutboxes => ({
  async leftAtMs(outbox) {
    const key = outboxKey(outbox);
    // The key itself is the first in order of all that begin with it.
    const { Contents: [first] = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key, MaxKeys: 1 }));
    return first?.Key === key ? first.LastModified?.getTime() : undefined;
  },
});
