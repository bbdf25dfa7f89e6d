import { expect, test } from "vitest";
import { sealLog, sweepLog } from "../../../lib/flows/seal-log.ts";
import type { SegmentRef } from "../../../lib/model/job.ts";
import type { LogSegments } from "../../../lib/ports/kept-logs.ts";

const attempt = { team: "vision", job: "train-1", attempt: 2 };
const segment = (number: number, rank = 0): SegmentRef => ({ ...attempt, rank, number });

/** Segments by their numbers, and the sealed ones. */
function segments(uploaded: readonly SegmentRef[]): LogSegments & { readonly sealed: SegmentRef[] } {
  const sealed: SegmentRef[] = [];
  return {
    sealed,
    async seal(one) {
      if (!uploaded.includes(one)) return { kind: "missing" };
      sealed.push(one);
      return { kind: "sealed", bytes: 5 };
    },
    unsealed: async () => uploaded.filter((one) => !sealed.includes(one)),
  };
}

test("a segment of a log is sealed whatever happened to its job", async () => {
  const one = segment(0);
  expect(await sealLog({ segments: segments([one]) }, one)).toEqual({ kind: "sealed", bytes: 5 });
  expect(await sealLog({ segments: segments([]) }, one)).toEqual({ kind: "missing", bytes: 0 });
});

test("segments whose events were lost are sealed with the attempt's manifest", async () => {
  const all = [segment(0), segment(1), segment(0, 1)];
  const kept = segments(all);
  await sealLog({ segments: kept }, segment(0));
  expect(await sweepLog({ segments: kept }, attempt)).toBe(3);
  expect(new Set(kept.sealed)).toEqual(new Set(all));
  expect(await sweepLog({ segments: kept }, attempt)).toBe(0);
});
