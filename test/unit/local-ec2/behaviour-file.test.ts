import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readBehaviour } from "../../../lib/local/ec2/behaviour/behaviour-file.ts";

const folder = mkdtempSync(join(tmpdir(), "behaviour-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (content: unknown, name = "ec2.json"): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};

it("the sample behaviour file is read with its trace", async () => {
  const sample = await readBehaviour(join(import.meta.dirname, "../../../lib/local/ec2/sample.json"));
  expect(sample.requests?.["CreateFleet"]).toEqual({ burst: 5, perSecond: 2 });
  expect(sample.capacity?.["g6.xlarge/us-east-1a/spot"]).toEqual([
    [0, 2],
    [20_000, 3],
    [30_000, 1],
    [40_000, 0],
    [60_000, 1],
    [70_000, 2],
  ]);
});

it("a behaviour file may begin with a byte order mark, and a FleetError explains why a file cannot be read", async () => {
  expect(await readBehaviour(file('\uFEFF{"pendingMs":5}'))).toEqual({ pendingMs: 5 });
  const missing = readBehaviour(join(folder, "nowhere.json"));
  await expect(missing).rejects.toThrow(/nowhere\.json cannot be read: .*nowhere\.json is not there$/);
});

it("a trace keeps its own gap by default, and a single time sets both bounds", async () => {
  file({ metadata: { gap_seconds: 600 }, data: [3, 2.9, 0] }, "trace.json");
  const read = await readBehaviour(file({ describeLagMs: 50, capacity: { "*/*/spot": { trace: "trace.json" } } }));
  expect(read).toEqual({
    describeLagMs: { min: 50, max: 50 },
    capacity: {
      "*/*/spot": [
        [0, 3],
        [600_000, 2],
        [1_200_000, 0],
      ],
    },
  });
  expect(await readBehaviour(file({}))).toEqual({});
});

it("a script of one moment, a trace of one number and times of nothing are read", async () => {
  file({ metadata: { gap_seconds: 600 }, data: [0] }, "short-trace.json");
  const capacity = { "*/*/spot": { trace: "short-trace.json" }, "*/*/on-demand": { script: [[0, 0]] }, "a/b/spot": 0 };
  const requests = { "*": { burst: 1, perSecond: 0.1 } };
  const times = { pendingMs: 0, bootTimeoutMs: 86_400_000, bootMs: { min: 5, max: 5 } };
  expect(await readBehaviour(file({ capacity, requests, ...times, seed: 0 }))).toEqual({
    capacity: { "*/*/spot": [[0, 0]], "*/*/on-demand": [[0, 0]], "a/b/spot": 0 },
    requests,
    ...times,
    seed: 0,
  });
});

it("the gap of a behaviour file counts instead of the trace's own", async () => {
  file({ metadata: { gap_seconds: 600 }, data: [1, 2] }, "gap-trace.json");
  const { capacity } = await readBehaviour(file({ capacity: { "*/*/spot": { trace: "gap-trace.json", gapMs: 1 } } }));
  expect(capacity?.["*/*/spot"]).toEqual([
    [0, 1],
    [1, 2],
  ]);
});

describe("invalid behaviour files", () => {
  it.each<[string, unknown, RegExp]>([
    ["text that is not JSON", "{", /is not JSON/],
    ["an unknown field", { latency: 5 }, /latency/],
    ["a pattern that cannot match an offer", { capacity: { "g5.xlarge": 1 } }, /must look like "g5\.xlarge\/us-east-1a\/spot"/],
    [
      "moments out of order",
      {
        capacity: {
          "*/*/*": {
            script: [
              [5, 1],
              [1, 2],
            ],
          },
        },
      },
      /in order of time|script/,
    ],
    ["a script without moments", { capacity: { "*/*/*": { script: [] } } }, /must have at least one moment|script/],
    ["a negative number", { capacity: { "*/*/*": -1 } }, /must not be negative|must be a number/],
    ["a negative time", { pendingMs: -1 }, /must not be negative/],
    ["a time of more than a day", { pendingMs: 86_400_001 }, /must be within a day/],
    ["a rate of nothing", { requests: { "*": { burst: 1, perSecond: 0 } } }, /must be above 0/],
    ["a gap of nothing", { capacity: { "*/*/*": { trace: "trace.json", gapMs: 0 } } }, /must be 1 or more|must be a number/],
    ["a burst of zero", { requests: { CreateFleet: { burst: 0, perSecond: 1 } } }, /burst/],
    ["a minimum above its maximum", { bootMs: { min: 5, max: 1 } }, /min must not be above max/],
    ["an action with an invalid name", { requests: { "create fleet": { burst: 1, perSecond: 1 } } }, /must be an action/],
    ["a missing trace", { capacity: { "*/*/*": { trace: "nowhere.json" } } }, /nowhere\.json cannot be read/],
  ])("a behaviour file with %s is refused, and the FleetError says where", async (_what, content, message) => {
    await expect(readBehaviour(file(content))).rejects.toMatchObject({ code: "ec2-behaviour", message: expect.stringMatching(message) });
  });

  it("a missing behaviour file and a trace in another format are refused", async () => {
    await expect(readBehaviour(join(folder, "none.json"))).rejects.toMatchObject({ message: expect.stringContaining("cannot be read") });
    file({ data: [1, 2] }, "bad-trace.json");
    await expect(readBehaviour(file({ capacity: { "*/*/*": { trace: "bad-trace.json" } } }))).rejects.toMatchObject({
      message: expect.stringMatching(/bad-trace\.json cannot be used:[\s\S]*metadata/),
    });
  });
});
