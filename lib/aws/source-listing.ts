import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { mostShards, pathOf, type Shard, type Source, sourceUrl, whyNoPath } from "../model/dataset.ts";
import { Fault } from "../model/fault.ts";
import type { Listed } from "../ports/datasets.ts";
import { awsErrorCode, awsErrorKind } from "./errors.ts";

/**
 * Lists a source, with keys URL-encoded on their way: XML has no room for every letter that a key may hold.
 * It takes 1,000 keys a call: 100 calls, some ten seconds and a twentieth of a cent for 100,000 shards, and about
 * 100 MB of memory at the longest keys that S3 has.
 */
export async function listSource(s3: Pick<S3Client, "send">, source: Source): Promise<Listed> {
  const shards: Shard[] = [];
  const taken = new Map<string, "file" | "folder">();
  let token: string | undefined;
  do {
    const page = await pageOf(s3, source, token);
    if ("trouble" in page) return { kind: "trouble", trouble: page.trouble };
    for (const shard of page.shards) {
      const why = whyNoPath(pathOf(source, shard.key), taken);
      if (why !== undefined) return { kind: "trouble", trouble: `the key ${shard.key} cannot be a file: it ${why}` };
    }
    shards.push(...page.shards);
    if (shards.length > mostShards) {
      const trouble = `there are more than ${mostShards} objects below ${sourceUrl(source)}; pack them into fewer, larger ones`;
      return { kind: "trouble", trouble };
    }
    token = page.next;
  } while (token !== undefined);
  return { kind: "listed", shards };
}

type Page = { readonly shards: readonly Shard[]; readonly next: string | undefined } | { readonly trouble: string };

async function pageOf(s3: Pick<S3Client, "send">, source: Source, token: string | undefined): Promise<Page> {
  try {
    const { Contents, EncodingType, NextContinuationToken } = await s3.send(
      new ListObjectsV2Command({
        Bucket: source.bucket,
        Prefix: source.prefix,
        EncodingType: "url",
        ...(token ? { ContinuationToken: token } : {}),
      }),
    );
    const keyOf = (told: string): string => (EncodingType === "url" ? decodeURIComponent(told.replaceAll("+", " ")) : told);
    const shards = (Contents ?? []).flatMap(({ Key, Size, ETag }) =>
      // A key that ends in a slash is how consoles draw a folder.
      Key === undefined || Size === undefined || ETag === undefined || Key.endsWith("/")
        ? []
        : [{ key: keyOf(Key), bytes: Size, etag: ETag.replaceAll('"', "") }],
    );
    return { shards, next: NextContinuationToken };
  } catch (error) {
    const kind = awsErrorKind(error);
    if (kind === "missing") return { trouble: `there is no bucket ${source.bucket}` };
    if (kind === "denied") return { trouble: `Fleetwright may not list ${sourceUrl(source)}: the bucket's own policy has to allow it` };
    throw new Fault("source", `${sourceUrl(source)} could not be listed: ${awsErrorCode(error)}`, { retry: true, cause: error });
  }
}
