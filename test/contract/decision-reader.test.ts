import { CreateBucketCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { expect, inject, test } from "vitest";
import { s3Client } from "../../lib/aws/clients/s3.ts";
import { s3DecisionReader } from "../../lib/aws/decisions/decision-reader.ts";
import { s3Journal } from "../../lib/aws/decisions/journal.ts";
import { MemoryJournal } from "../../lib/sim/memory/journal.ts";
import { aDecision, monday } from "../fakes/builders.ts";
import { memoryDecisionReader } from "../fakes/readers.ts";
import { decisionReaderContract, readAll } from "./suites/decision-reader.ts";
import { unique, wire } from "./wire.ts";

const client = (): S3Client => s3Client(wire(inject("ministackUrl")));
const s3 = client();

async function aBucket(): Promise<string> {
  const Bucket = unique("decisions");
  await s3.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}

/** Returns a client whose listings are as short as if a day had thousands of decisions, and which counts them. */
function withShortListings(most: number): { s3: S3Client; listings: number } {
  const counted = { s3: client(), listings: 0 };
  counted.s3.middlewareStack.add(
    (next, context) => (args) => {
      if (context.commandName !== "ListObjectsV2Command") return next(args);
      counted.listings += 1;
      return next("Delimiter" in args.input ? args : { ...args, input: { ...args.input, MaxKeys: most } });
    },
    { step: "initialize", name: "short-listings" },
  );
  return counted;
}

decisionReaderContract("in memory", async () => {
  const journal = new MemoryJournal();
  return { journal, reader: memoryDecisionReader(journal) };
});

decisionReaderContract("S3", async () => {
  const bucket = await aBucket();
  return { journal: s3Journal(s3, bucket), reader: s3DecisionReader(s3, bucket) };
});

decisionReaderContract("S3, with days too full for one listing", async () => {
  const bucket = await aBucket();
  return { journal: s3Journal(s3, bucket), reader: s3DecisionReader(withShortListings(2).s3, bucket) };
});

test("the decisions of a full day are read in order, each once, with few listings per page", async () => {
  const bucket = await aBucket();
  const journal = s3Journal(s3, bucket);
  // Many in one second, many in one hour, a few over the day.
  const times = [...Array(12).keys()].flatMap((n) => [monday + n * 10, monday + 3_600_000 + n * 7_000, monday + n * 7_000_000]);
  for (const [n, atMs] of times.entries()) await journal.record(aDecision({ id: `d${n}`, atMs }));
  const short = withShortListings(5);
  const { ids, pages } = await readAll(s3DecisionReader(short.s3, bucket), "gpu", { limit: 7 });
  expect(ids).toHaveLength(times.length);
  expect(ids).toEqual(ids.toSorted().toReversed());
  expect(new Set(ids).size).toBe(times.length);
  expect(short.listings / pages).toBeLessThan(110);
});

test("many days with few decisions are read in several pages, without a gap", async () => {
  const bucket = await aBucket();
  const journal = s3Journal(s3, bucket);
  for (let n = 0; n < 70; n += 1) await journal.record(aDecision({ id: `d${n}`, atMs: monday + n * 86_400_000 }));
  const { ids, pages } = await readAll(s3DecisionReader(s3, bucket), "gpu", { limit: 50 });
  expect(ids.map((id) => id.slice(id.lastIndexOf("-d") + 2))).toEqual([...Array(70).keys()].toReversed().map(String));
  expect(pages).toBe(2);
});

test("other objects of the bucket are not read as decisions of a pool", async () => {
  const bucket = await aBucket();
  for (const Key of ["gpu/notes.txt", "gpu/2026/06/01/notes.json.gz"])
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: "x" }));
  await s3Journal(s3, bucket).record(aDecision());
  expect((await readAll(s3DecisionReader(s3, bucket), "gpu", { limit: 10 })).ids).toEqual(["20260601-000000.000Z-decision-1"]);
});
