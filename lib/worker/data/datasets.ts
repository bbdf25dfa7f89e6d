import { join } from "node:path";
import { addAbortSignal, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import pMap from "p-map";
import { mostListBytes, ShardList } from "../../../events/dataset.ts";
import type { Order } from "../../../events/node-call.ts";
import { type DatasetRef, datasetName, type FetchedDataset, type Shard } from "../../model/dataset.ts";
import { inWords, withCauses } from "../../model/errors/in-words.ts";
import { Fault } from "../../model/fault.ts";
import { type AttemptRef, attemptName } from "../../model/job.ts";
import { type Tries, tryAgain } from "../runtime/retry.ts";
import { makeView } from "./data-view.ts";
import type { ShardCache } from "./shard-cache.ts";
import { fetchShard } from "./shard-fetch.ts";

type DatasetOrder = NonNullable<Extract<Order, { kind: "run" }>["datasets"]>[number];

/** What an attempt gives to have its datasets fetched. */
export type DataOrder = {
  readonly attempt: AttemptRef;
  readonly datasets: readonly DatasetOrder[];
  /** Where each appears, as FOLDER/NAME. */
  readonly folder: string;
  readonly s3: Pick<S3Client, "send">;
  readonly tries: Tries;
  /** Hears how far it is, every few seconds. */
  readonly onLine: (line: string) => void;
};

/** A dataset's list of shards, packed: unpacked, those of many would fill the memory. */
export type PackedList = DatasetOrder & { readonly packed: Buffer };

const atOnce = 8;
/** A call takes no more. */
const mostTold = 200;
const progressMs = 5_000;

/**
 * The datasets of a node. An attempt sees them as they were when it began: what is dealt out anew meanwhile is for the next.
 */
export class NodeData {
  readonly #cache: ShardCache;
  readonly #fetched = new Map<string, FetchedDataset>();

  constructor(cache: ShardCache) {
    this.#cache = cache;
  }

  /** What was fetched last of each, and found right; undefined for nothing. */
  fetched(): FetchedDataset[] | undefined {
    return this.#fetched.size > 0 ? [...this.#fetched.values()].slice(-mostTold) : undefined;
  }

  /** What an attempt has to fetch. To be asked for at once: a list that has been replaced is not kept for long. Throws a Fault. */
  lists({ datasets, s3, tries }: Pick<DataOrder, "datasets" | "s3" | "tries">): Promise<readonly PackedList[]> {
    const one = async (dataset: DatasetOrder): Promise<PackedList> => {
      return { ...dataset, packed: await tryAgain(tries, () => fetchShardList(s3, dataset.list, tries.signal)) };
    };
    return pMap(datasets, one, { concurrency: atOnce });
  }

  /** Brings all that an attempt reads onto the node and shows it. Throws a Fault in words for the team. */
  async fetch(order: DataOrder, lists: readonly PackedList[]): Promise<void> {
    for (const list of lists) await this.#fetchOne(order, list);
  }

  /** The attempt is over, and its folder gone. */
  letGo(attempt: AttemptRef): Promise<void> {
    return this.#cache.letGo(attemptName(attempt));
  }

  async #fetchOne(order: DataOrder, { name, version, list, packed }: PackedList): Promise<void> {
    const { attempt } = order;
    const { source, shards } = await readShardList(packed, list);
    const ref = { team: attempt.team, dataset: name };
    const missing = await this.#cache.hold(ref, attemptName(attempt), shards);
    const bytes = bytesOf(shards);
    if (missing.length > 0) await this.#fetchShards(order, { ref, bucket: source.bucket, missing });
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
    // The first that fails ends the others; one that another attempt waits for, that one begins again.
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
      throw error instanceof Fault && passes.has(error.code) ? new Fault(error.code, inWords(error), { retry: true, cause: error }) : error;
    } finally {
      over.abort();
      progress();
    }
  }
}

/** The same again at once would fail; another attempt, with a newer list or on another node, may not. */
const passes: ReadonlySet<string> = new Set(["shard-changed", "shard-denied", "disk-full"]);

/** Says it again and again until the answer is called. */
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

/** Fetches the list of the shards that this node shall have, packed as it lies there. Throws a Fault that may be retried: the map may have moved on. */
async function fetchShardList(s3: Pick<S3Client, "send">, { bucket, key }: ListPlace, signal: AbortSignal): Promise<Buffer> {
  try {
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
    if (!(answer.Body instanceof Readable)) throw new Fault("shard-list", "S3 sent no body", { retry: true });
    return await buffer(addAbortSignal(signal, answer.Body));
  } catch (error) {
    throw new Fault("shard-list", `the list of shards ${key} could not be fetched: ${withCauses(error)}`, { retry: true, cause: error });
  }
}

/** Throws a Fault for what is no list; another attempt may find one. */
async function readShardList(packed: Buffer, { key }: ListPlace): Promise<ShardList> {
  try {
    const json = (await unpack(packed, { maxOutputLength: mostListBytes })).toString("utf8");
    return ShardList.parse(JSON.parse(json));
  } catch (error) {
    throw new Fault("shard-list", `the list of shards ${key} could not be read: ${withCauses(error)}`, { retry: true, cause: error });
  }
}
