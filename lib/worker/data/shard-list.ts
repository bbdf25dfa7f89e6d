import { addAbortSignal, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { mostListBytes, ShardList } from "../../../events/dataset.ts";
import { withCauses } from "../../model/errors/in-words.ts";
import { Fault } from "../../model/fault.ts";

const unpack = promisify(gunzip);

export type ListPlace = { readonly bucket: string; readonly key: string };

/** Fetches the list of the shards that this node shall have, packed as it lies there. Throws a Fault that may be retried: the map may have moved on. */
export async function fetchShardList(s3: Pick<S3Client, "send">, { bucket, key }: ListPlace, signal: AbortSignal): Promise<Buffer> {
  try {
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
    if (!(answer.Body instanceof Readable)) throw new Fault("shard-list", "S3 sent no body", { retry: true });
    return await buffer(addAbortSignal(signal, answer.Body));
  } catch (error) {
    throw new Fault("shard-list", `the list of shards ${key} could not be fetched: ${withCauses(error)}`, { retry: true, cause: error });
  }
}

/** Throws a Fault for what is no list; another attempt may find one. */
export async function readShardList(packed: Buffer, { key }: ListPlace): Promise<ShardList> {
  try {
    const json = (await unpack(packed, { maxOutputLength: mostListBytes })).toString("utf8");
    return ShardList.parse(JSON.parse(json));
  } catch (error) {
    throw new Fault("shard-list", `the list of shards ${key} could not be read: ${withCauses(error)}`, { retry: true, cause: error });
  }
}
