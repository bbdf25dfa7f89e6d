import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { DeleteObjectsCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { maxListBytes, ShardList } from "../../../events/dataset.ts";
import type { DatasetRef } from "../../model/dataset.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { ShardStore } from "../../ports/datasets.ts";
import { openObject } from "../objects/objects.ts";
import { allPages } from "../pages.ts";
import { listSource } from "./source-listing.ts";

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/** Returns the prefix of Fleetwright's own records about a dataset, below a name that no team can have. */
const folderOf = ({ team, dataset }: DatasetRef): string => `_fleetwright/${team}/${dataset}/`;

/** S3's limit of deletions per call. */
const maxDeletes = 1_000;

export const s3ShardStore = (s3: Pick<S3Client, "send">, bucket: string): ShardStore => {
  const put = async (Key: string, value: unknown): Promise<string> => {
    const Body = await pack(JSON.stringify(value));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ContentType: "application/json", ContentEncoding: "gzip" }));
    return Key;
  };

  return {
    list: (source) => listSource(s3, source),

    write({ team, dataset, source, listing }, name, shards) {
      const list: ShardList = { format: 1, team, dataset, source, listing, shards: [...shards] };
      return put(`${folderOf({ team, dataset })}${name}.json.gz`, list);
    },

    async read(key) {
      const object = await openObject(s3, { Bucket: bucket, Key: key });
      if (object === undefined) return undefined;
      try {
        const json = (await unpack(await buffer(object.body), { maxOutputLength: maxListBytes })).toString("utf8");
        return ShardList.parse(JSON.parse(json)).shards;
      } catch (cause) {
        throw new FleetError("shard-list", `${key} is not a list of shards`, { cause });
      }
    },

    writePlan: (of, name, plan) => put(`${folderOf(of)}${name}.json.gz`, plan),

    async sweep(of, { keys, beforeMs }) {
      const there = await allPages(async (token) => {
        const page = await s3.send(
          new ListObjectsV2Command({ Bucket: bucket, Prefix: folderOf(of), ...(token ? { ContinuationToken: token } : {}) }),
        );
        return { items: page.Contents, next: page.NextContinuationToken };
      });
      const old = there.flatMap(({ Key, LastModified }) =>
        Key !== undefined && LastModified !== undefined && LastModified.getTime() < beforeMs && !keys.has(Key) ? [{ Key }] : [],
      );
      for (let at = 0; at < old.length; at += maxDeletes) {
        const Objects = old.slice(at, at + maxDeletes);
        const { Errors } = await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
        const [first] = Errors ?? [];
        if (first) throw new FleetError("sweep", `${first.Key} could not be removed: ${first.Code}`, { retry: true });
      }
      return old.length;
    },
  };
};
