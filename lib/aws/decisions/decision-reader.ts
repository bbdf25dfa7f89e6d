import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { S3Client } from "@aws-sdk/client-s3";
import pMap from "p-map";
import { type DecisionReader, decisionId, type RecordedDecision } from "../../ports/decision-reader.ts";
import { openObject } from "../objects/objects.ts";
import { newestKeys } from "./newest-keys.ts";
import { recordedDecision } from "./recorded-decision.ts";

const unpack = promisify(gunzip);
/** Far above the size of a decision about ten thousand jobs and a thousand nodes. */
const maxUnpackedBytes = 64 * 1024 * 1024;
/** Number of concurrent reads, each of which may need some megabytes of memory. */
const side = 4;

/** Reads the journal. A decision's id contains its time, from which its key follows. */
export const s3DecisionReader = (s3: Pick<S3Client, "send">, bucket: string): DecisionReader => {
  const read = async (pool: string, id: string): Promise<RecordedDecision | undefined> => {
    const object = await openObject(s3, { Bucket: bucket, Key: `${pool}/${behindPool(id)}${ending}` });
    if (object === undefined) return undefined;
    const json = await unpack(await buffer(object.body), { maxOutputLength: maxUnpackedBytes });
    return recordedDecision(JSON.parse(json.toString("utf8")), id);
  };
  return {
    async page(pool, { cursor, limit }) {
      const root = `${pool}/`;
      const { keys, before } = await newestKeys(s3, { bucket, root, limit, before: cursor && behindPool(cursor) });
      const ids = keys.map((key) => idOf(key.slice(root.length))).filter((id) => decisionId.test(id));
      const decisions = await pMap(ids, (id) => read(pool, id), { concurrency: side });
      // A decision may have expired since it was listed.
      return { decisions: decisions.filter((each) => each !== undefined), ...(before !== undefined && { cursor: idOf(before) }) };
    },
    get: read,
  };
};

const ending = ".json.gz";

/** Returns `2026/11/24/130509.123Z-…` for `20261124-130509.123Z-…`. The beginning of an id gives the beginning of the key. */
const behindPool = (id: string): string =>
  [id.slice(0, 4), id.slice(4, 6), id.slice(6, 8), id.slice(9)].filter((part) => part !== "").join("/");

function idOf(key: string): string {
  const [year = "", month = "", day = "", time = ""] = key.replace(ending, "").split("/");
  return `${year}${month}${day}${time === "" ? "" : `-${time}`}`;
}
