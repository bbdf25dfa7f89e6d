import { ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from "@aws-sdk/client-s3";
import { s3Refusal, whyUnreadable } from "../../../events/s3-refusal.ts";
import { maxShards, type Source, sourceUrl } from "../../model/dataset.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { Listed } from "../../ports/datasets.ts";
import { awsErrorCode } from "../errors.ts";
import { type ListedObject, ShardSorter } from "./shard-sorter.ts";

/**
 * Lists a source. Keys are URL-encoded in transit, because XML cannot represent every character of a key. Each call returns
 * 1,000 keys, so 100,000 shards take 100 calls, about ten seconds and a twentieth of a cent, and about 100 MB of memory
 * if the keys have S3's greatest length.
 */
export async function listSource(s3: Pick<S3Client, "send">, source: Source): Promise<Listed> {
  const sorter = new ShardSorter(source);
  let token: string | undefined;
  do {
    const page = await pageOf(s3, source, token);
    if ("reason" in page) return { kind: "trouble", reason: page.reason };
    for (const object of page.objects) sorter.add(object);
    if (sorter.objects > maxShards) {
      const reason = `there are more than ${maxShards} objects below ${sourceUrl(source)}; pack them into fewer, larger ones`;
      return { kind: "trouble", reason };
    }
    token = page.next;
  } while (token !== undefined);
  return { kind: "listed", ...sorter.sorted() };
}

type Page = { readonly objects: readonly ListedObject[]; readonly next: string | undefined } | { readonly reason: string };

async function pageOf(s3: Pick<S3Client, "send">, source: Source, token: string | undefined): Promise<Page> {
  try {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket: source.bucket,
        Prefix: source.prefix,
        EncodingType: "url",
        // Distinguishes restored archived objects from others.
        OptionalObjectAttributes: ["RestoreStatus"],
        ...(token ? { ContinuationToken: token } : {}),
      }),
    );
    return { objects: objectsOf(page), next: page.NextContinuationToken };
  } catch (error) {
    return { reason: whyNotListed(error, source) };
  }
}

/** Returns the objects of a page, without malformed entries. */
export function objectsOf({ Contents, EncodingType }: Pick<ListObjectsV2CommandOutput, "Contents" | "EncodingType">): ListedObject[] {
  const keyOf = (encoded: string): string => (EncodingType === "url" ? decodeURIComponent(encoded.replaceAll("+", " ")) : encoded);
  return (Contents ?? []).flatMap(({ Key, Size, ETag, StorageClass, RestoreStatus }) => {
    if (Key === undefined || Size === undefined || ETag === undefined) return [];
    const isReadable = RestoreStatus?.RestoreExpiryDate !== undefined && RestoreStatus.IsRestoreInProgress !== true;
    const archived = isArchive(StorageClass) && !isReadable ? StorageClass : undefined;
    return [{ key: keyOf(Key), bytes: Size, etag: ETag.replaceAll('"', ""), archived }];
  });
}

/** Returns whether a class's objects must be restored. GLACIER_IR is read at once; listings do not show INTELLIGENT_TIERING's archives. */
const isArchive = (storageClass: string | undefined): boolean => storageClass === "GLACIER" || storageClass === "DEEP_ARCHIVE";

/** Returns, in words for the team, an error that only a change of the source or its policies can fix. Throws a FleetError (retry) for others. */
function whyNotListed(error: unknown, source: Source): string {
  const refusal = s3Refusal(error);
  switch (refusal.kind) {
    case "no-bucket":
      return `there is no bucket ${source.bucket}`;
    case "denied":
    case "no-object":
      return `Fleetwright may not list ${sourceUrl(source)}: the bucket's own policy must allow it`;
    case "elsewhere":
      return `${sourceUrl(source)} cannot be listed: ${whyUnreadable(refusal)}`;
    case "changed":
    case "key-denied":
    case "key-unusable":
    case "archived":
    case "customer-key":
    case "refused":
    case "passing":
      throw new FleetError("source", `${sourceUrl(source)} could not be listed: ${awsErrorCode(error)}`, { retry: true, cause: error });
  }
}
