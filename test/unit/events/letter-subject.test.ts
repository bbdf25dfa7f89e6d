import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { letterSubject } from "../../../events/letters/letter-subject.ts";

const sample = (name: string): string =>
  readFileSync(join(import.meta.dirname, "..", "..", "..", "events", "samples", `${name}.json`), "utf8");
const subjectOf = (body: string, team?: string) => letterSubject({ id: "message-1", body }, team);
const created = (key: string): string =>
  JSON.stringify({ source: "aws.s3", "detail-type": "Object Created", detail: { bucket: { name: "b" }, object: { key } } });

test.each([
  ["seal-again", "attempt", "research/resnet50-2026-11-20, attempt 1"],
  ["object-created", "attempt", "research/resnet50-2026-11-20, attempt 1"],
  ["dataset-object-deleted", "object", "research/imagenet/train/n01440764.tar"],
  ["rebalance-shards", "dataset", "research/imagenet-2012"],
  ["pool-rang", "pool", "gpu"],
  ["instance-state-change", "instance", "i-0abcd1234ef567890"],
  ["alarm-state-change", "alarm", "fleetwright/gpu-low/gpu"],
])("a dead letter like the sample %s is about the %s that it names", (name, kind, subject) => {
  expect(subjectOf(sample(name))).toEqual({ kind, name: subject });
});

test("a part of a log is named by its attempt and its number", () => {
  expect(subjectOf(created("vision/train-1/2/log/0/000007.gz"))).toEqual({ kind: "log", name: "vision/train-1, attempt 2, part 7" });
});

test("a job is named by its team and its id, or by the id of its message if it has none that is valid", () => {
  expect(subjectOf(sample("job-full"), "vision")?.name).toMatch(/^vision\//);
  for (const body of ['{"command":["x"]}', '{"id":"../x"}', "[]", "{", ""])
    expect(subjectOf(body, "vision")).toEqual({ kind: "job", name: "vision/message-1" });
});

test("a message that names nothing known has no subject, and a long name is cut", () => {
  for (const body of [sample("tick"), "null", "7", "", "{", '{"pool":7}']) expect(subjectOf(body)).toBeUndefined();
  const { name = "" } = subjectOf(created(`vision/${"x".repeat(900)}`)) ?? {};
  expect([name.length, name.at(-1)]).toEqual([200, "…"]);
});
