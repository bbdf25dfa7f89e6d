import { join } from "node:path";
import { addAbortSignal, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import pMap from "p-map";
import { maxListBytes, ShardList } from "../../../events/dataset.ts";
import type { Order } from "../../../events/node-call.ts";
import { type DatasetRef, datasetName, type FetchedDataset, type Shard } from "../../model/dataset.ts";
import { inWords, withCauses } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { type AttemptRef, attemptName } from "../../model/job.ts";
import { type Tries, tryAgain } from "../runtime/retry.ts";
import { makeView } from "./data-view.ts";
import type { ShardCache } from "./shard-cache.ts";
import { fetchShard } from "./shard-fetch.ts";

type DatasetOrder = NonNullable<Extract<Order, { kind: "run" }>["datasets"]>[number];

/** What is needed to fetch the datasets of an attempt. */
export type DataOrder = {
  readonly attempt: AttemptRef;
  readonly datasets: readonly DatasetOrder[];
  /** Each dataset appears below it, as FOLDER/NAME. */
  readonly folder: string;
  readonly s3: Pick<S3Client, "send">;
  readonly tries: Tries;
  /** Receives the progress every few seconds. */
  readonly onLine: (line: string) => void;
};

/** A dataset's list of shards. It stays compressed, because the lists of many datasets would fill the memory. */
export type PackedList = DatasetOrder & { readonly packed: Buffer };

const atOnce = 8;
/** A call accepts no more. */
const maxReported = 200;
const progressMs = 5_000;

/** The datasets of a node. An attempt sees them as they were when it began. Later changes apply to the next attempt. */
export class NodeData {
  readonly #cache: ShardCache;
  readonly #fetched = new Map<string, FetchedDataset>();

  constructor(cache: ShardCache) {
    this.#cache = cache;
  }

  /** Returns what was last fetched and verified of each dataset, or undefined if there is nothing. */
  fetched(): FetchedDataset[] | undefined {
    return this.#fetched.size > 0 ? [...this.#fetched.values()].slice(-maxReported) : undefined;
  }

  /** Fetches the lists of an attempt's shards. Must be called first, because a replaced list is soon removed. Throws a FleetError. */
  lists({ datasets, s3, tries }: Pick<DataOrder, "datasets" | "s3" | "tries">): Promise<readonly PackedList[]> {
    const one = async (dataset: DatasetOrder): Promise<PackedList> => {
      return { ...dataset, packed: await tryAgain(tries, () => fetchShardList(s3, dataset.list, tries.signal)) };
    };
    return pMap(datasets, one, { concurrency: atOnce });
  }

  /** Fetches all shards of an attempt that the node does not have and shows them to the job. Throws a FleetError with a message for the team. */
  async fetch(order: DataOrder, lists: readonly PackedList[]): Promise<void> {
    for (const list of lists) await this.#fetchOne(order, list);
  }

  /** Releases an attempt's shards. Must be called after its end, when its folder is removed. */
  letGo(attempt: AttemptRef): Promise<void> {
    return this.#cache.letGo(attemptName(attempt));
  }

  async #fetchOne(order: DataOrder, { name, version, list, packed }: PackedList): Promise<void> {
    const { attempt } = order;
    const { source, shards } = await readShardList(packed, list);
    const ref = { team: attempt.team, dataset: name };
    const missing = await this.#cache.hold(ref, attemptName(attempt), shards);
    const bytes = bytesOf(shards);
    await this.#fetchShards(order, { ref, bucket: source.bucket, missing });
    await makeView({ folder: join(order.folder, name), source, shards, fileOf: (shard) => this.#cache.fileOf(ref, shard) });
    this.#fetched.set(datasetName(ref), { ...ref, version, shards: shards.length, bytes });
    // Shards with the same content are one file.
    const had = new Set(shards.map((shard) => this.#cache.fileOf(ref, shard))).size - missing.length;
    const known = had > 0 ? `; ${had} of them were on the node` : "";
    order.onLine(`[fleetwright: dataset ${name}: ${shards.length} shards, ${mib(bytes)} MiB, fetched and checked${known}]`);
  }

  async #fetchShards(
    { s3, tries, onLine }: DataOrder,
    { ref, bucket, missing }: { ref: DatasetRef; bucket: string; missing: readonly Shard[] },
  ): Promise<void> {
    // The first failure ends the other fetches. If another attempt waits for one of them, that attempt starts it again.
    const over = new AbortController();
    const signal = AbortSignal.any([tries.signal, over.signal]);
    const total = bytesOf(missing);
    let shards = 0;
    let bytes = 0;
    const progress = everySoOften(tries, () =>
      onLine(`[fleetwright: dataset ${ref.dataset}: ${shards} of ${missing.length} shards, ${mib(bytes)} of ${mib(total)} MiB]`),
    );
    const one = async (shard: Shard): Promise<void> => {
      const file = this.#cache.fileOf(ref, shard);
      const fetch = () => tryAgain({ ...tries, signal }, () => fetchShard(s3, { bucket, shard, file, signal }));
      await this.#cache.have(file, shard, { fetch, signal });
      shards += 1;
      bytes += shard.bytes;
    };
    try {
      await pMap(missing, one, { concurrency: atOnce });
    } catch (error) {
      throw error instanceof FleetError && passes.has(error.code)
        ? new FleetError(error.code, inWords(error), { retry: true, cause: error })
        : error;
    } finally {
      over.abort();
      progress();
    }
  }
}

/** Faults for which an immediate retry would fail, but a later attempt with a newer list or on another node may succeed. */
const passes: ReadonlySet<string> = new Set(["shard-changed", "shard-denied", "disk-full"]);

/** Calls `say` every few seconds. Returns a function that ends this. */
function everySoOften({ clock }: Pick<Tries, "clock">, say: () => void): () => void {
  let cancel = clock.after(progressMs, again);
  function again(): void {
    say();
    cancel = clock.after(progressMs, again);
  }
  return () => cancel();
}

const bytesOf = (shards: readonly Shard[]): number => shards.reduce((sum, shard) => sum + shard.bytes, 0);
const mib = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1);

const unpack = promisify(gunzip);

type ListPlace = { readonly bucket: string; readonly key: string };

/** Fetches the compressed list of this node's shards. Throws a FleetError (`retry`), because a newer map may have replaced the list. */
async function fetchShardList(s3: Pick<S3Client, "send">, { bucket, key }: ListPlace, signal: AbortSignal): Promise<Buffer> {
  try {
    const response = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
    if (!(response.Body instanceof Readable)) throw new Error("S3 returned no body");
    return await buffer(addAbortSignal(signal, response.Body));
  } catch (error) {
    throw new FleetError("shard-list", `the list of shards ${key} could not be fetched: ${withCauses(error)}`, {
      retry: true,
      cause: error,
    });
  }
}

/** Reads a compressed list. Throws a FleetError (`retry`) if it is not valid, because a later attempt may get a valid one. */
async function readShardList(packed: Buffer, { key }: ListPlace): Promise<ShardList> {
  try {
    const json = (await unpack(packed, { maxOutputLength: maxListBytes })).toString("utf8");
    return ShardList.parse(JSON.parse(json));
  } catch (error) {
    throw new FleetError("shard-list", `the list of shards ${key} could not be read: ${withCauses(error)}`, { retry: true, cause: error });
  }
}
