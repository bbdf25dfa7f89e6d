import { describe, expect, test } from "vitest";
import {
  SegmentFacts,
  sealedSegmentKey,
  segmentKey,
  segmentMetadata,
  segmentOfKey,
  segmentToSeal,
} from "../../../events/artifacts/log-segment.ts";

const segment = { team: "vision", job: "train-1", attempt: 2, rank: 3, number: 17 };
const created = (key: string): object => ({
  source: "aws.s3",
  "detail-type": "Object Created",
  detail: { bucket: { name: "incoming" }, object: { key } },
});

describe("segments of a log", () => {
  test("a log segment can be read back from its key, before and after it is sealed", () => {
    expect(segmentKey(segment)).toBe("vision/train-1/2/log/3/000017.gz");
    expect(segmentOfKey(segmentKey(segment))).toEqual({ ...segment, sealed: false });
    expect(segmentOfKey(sealedSegmentKey(segment))).toEqual({ ...segment, sealed: true });
  });

  test.each([
    "vision/train-1/2/files/log/3/000017.gz",
    "vision/train-1/2/log/3/17.gz",
    "vision/train-1/2/log/03/000017.gz",
    "vision/train-1/0/log/3/000017.gz",
    "vision/train-1/2/log/3/000017.gz.part",
    "No Team/train-1/2/log/3/000017.gz",
    "vision/train-1/2/manifest.json",
  ])("the key %s is not that of a log segment", (key) => {
    expect(segmentOfKey(key)).toBeUndefined();
    expect(segmentToSeal(created(key))).toBeUndefined();
  });

  test("a log segment is sealed when S3 reports that it was uploaded", () => {
    expect(segmentToSeal(created(segmentKey(segment)))).toEqual(segment);
    expect(segmentToSeal(created(sealedSegmentKey(segment)))).toBeUndefined();
    expect(segmentToSeal({ seal: { team: "vision", job: "train-1", attempt: 2 } })).toBeUndefined();
  });

  test("the facts of a log segment are read back from its metadata", () => {
    const facts = { sha256: "a".repeat(64), bytes: 12, offset: 34, last: true };
    expect(SegmentFacts.parse(segmentMetadata(facts))).toEqual(facts);
    expect(SegmentFacts.parse(segmentMetadata({ ...facts, last: false }))).toEqual({ ...facts, last: false });
    expect(SegmentFacts.safeParse({}).success).toBe(false);
  });
});
