import { describe, expect, test } from "vitest";
import { checked, lineOf } from "../../../events/checked.ts";
import { JobMessage, specOf } from "../../../events/job.ts";
import { jobFieldTable } from "../../../events/schema/job-fields.ts";
import { StoredSpec } from "../../../events/stored-spec.ts";

const smallest = { command: ["python", "train.py"] };
const why = (message: unknown): string => {
  const read = checked(JobMessage, message);
  return read.kind === "good" ? "accepted" : read.wrong.map((wrong) => lineOf(wrong)).join("; ");
};

test("the smallest job message gets one GPU, a day of run time and no retries", () => {
  expect(specOf(JobMessage.parse(smallest))).toEqual({
    command: ["python", "train.py"],
    gpus: { count: 1, memoryGiB: 0, models: [] },
    vcpus: 2,
    memoryGiB: 8,
    priority: 0,
    maxRuntimeSeconds: 86_400,
    retries: 0,
    env: {},
    artifacts: [],
    spot: true,
    nodes: 1,
    datasets: [],
    zones: [],
  });
});

test("a job that the first release stored can still be read", () => {
  const first = {
    command: ["python", "train.py"],
    gpus: { count: 1, memoryGiB: 0, models: [] },
    vcpus: 2,
    memoryGiB: 8,
    priority: 0,
    maxRuntimeSeconds: 86_400,
    retries: 0,
    env: {},
    artifacts: [],
    spot: true,
  };
  expect(StoredSpec.parse(first)).toEqual(specOf(JobMessage.parse(smallest)));
});

test("every field of a job message has a limit and a description in the field table", () => {
  const rows = jobFieldTable().split("\n").slice(2, -1);
  expect(rows.filter((row) => row.includes("undefined") || row.endsWith("|  |"))).toEqual([]);
});

test("an artifact that is not required gives the same spec in either form", () => {
  const artifacts = [{ path: "a" }, { path: "b", required: false }, "c", { path: "*.pt", required: true }];
  expect(JobMessage.parse({ ...smallest, artifacts }).artifacts).toEqual(["a", "b", "c", { path: "*.pt", required: true }]);
});

test("a dataset given by its name alone is used as a whole", () => {
  const datasets = ["mnist", { name: "digits", share: "part" }, { name: "words" }];
  expect(JobMessage.parse({ ...smallest, datasets }).datasets).toEqual([
    { name: "mnist", share: "whole" },
    { name: "digits", share: "part" },
    { name: "words", share: "whole" },
  ]);
});

test.each([0, 49, 1.5, "2"])("a job message with %s as its number of nodes is refused", (nodes) => {
  expect(JobMessage.safeParse({ ...smallest, nodes }).success).toBe(false);
});

test("a number of GPUs asks for that many of any kind", () => {
  expect(JobMessage.parse({ ...smallest, gpus: 4 }).gpus).toEqual({ count: 4, memoryGiB: 0, models: [] });
});

test("the id of a job is not part of its spec", () => {
  expect(specOf(JobMessage.parse({ ...smallest, id: "a" }))).toEqual(specOf(JobMessage.parse({ ...smallest, id: "b" })));
});

describe("job messages that are accepted", () => {
  test.each<[string, object]>([
    ["an id", { id: "train-1.a_B" }],
    ["no GPU", { gpus: 0 }],
    ["GPUs by model and memory", { gpus: { count: 2, memoryGiB: 24, models: ["A10G"] } }],
    ["code on S3", { code: { s3: "s3://my-bucket/a/b.tar.gz", sha256: "0".repeat(64) } }],
    ["an environment", { env: { LEARNING_RATE: "0.1", _x: "" } }],
    ["folders and files", { artifacts: ["out", "out/model.pt", "a..b/c"] }],
    ["globs", { artifacts: ["ckpt/*.pt", "**/metrics-??.json", "run[0-9]"] }],
    ["a required artifact", { artifacts: [{ path: "model.pt", required: true }] }],
    ["a run time of two weeks", { maxRuntimeSeconds: 14 * 86_400 }],
    ["an image instead of a command", { command: [], image: "pytorch" }],
    ["on-demand capacity only", { spot: false }],
    ["a tenth of a CPU and of a GiB", { vcpus: 0.1, memoryGiB: 0.1 }],
  ])("a job message with %s is accepted", (_what, over) => {
    expect(why({ ...smallest, ...over })).toBe("accepted");
  });
});

describe("job messages that are refused", () => {
  test.each<[string, unknown, RegExp]>([
    ["nothing to run", {}, /^command: say what to run/],
    ["an empty command", { command: [] }, /^command: say what to run/],
    ["a command that is one text", { command: "python train.py" }, /^command: /],
    ["an unknown field", { ...smallest, gpu: 1 }, /^there is no field "gpu"; did you mean "gpus"\?$/],
    ["a field that is special to JavaScript", JSON.parse('{"command":["x"],"__proto__":{}}'), /^there is no field "__proto__"/],
    ["an argument with a NUL", { command: ["a\0b"] }, /^command\.0: contains a NUL byte/],
    ["a variable with a NUL", { ...smallest, env: { A: "\0" } }, /^env\.A: contains a NUL byte/],
    ["a variable that JavaScript would drop", { ...smallest, env: JSON.parse('{"__proto__":"x"}') }, /^env\.__proto__: cannot be/],
    ["code with a NUL", { ...smallest, code: { s3: "s3://bucket/a\0" } }, /^code\.s3: contains a NUL byte/],
    ["a model with a NUL", { ...smallest, gpus: { count: 1, models: ["T4\0"] } }, /^gpus\.models\.0: contains a NUL byte/],
    ["an image that Docker would not accept", { image: "Org/X" }, /^image: "Org\/X" is not the name of a container image: .*lower case/],
    ["an image that is an option", { image: "--privileged" }, /^image: "--privileged" is not the name of a container image/],
    [
      "GPU memory that the table cannot store",
      { ...smallest, gpus: { count: 1, memoryGiB: 1e-200 } },
      /^gpus\.memoryGiB: must be 0, for any, or/,
    ],
    ["an unknown field of the GPUs", { ...smallest, gpus: { count: 1, model: "T4" } }, /gpus/],
    ["9999 GPUs", { ...smallest, gpus: 9999 }, /^gpus/],
    ["half a GPU", { ...smallest, gpus: 0.5 }, /^gpus/],
    ["a negative number of GPUs", { ...smallest, gpus: -1 }, /^gpus/],
    ["GPUs as text", { ...smallest, gpus: "1" }, /^gpus/],
    ["no CPU", { ...smallest, vcpus: 0 }, /^vcpus/],
    ["memory that is not a number", { ...smallest, memoryGiB: Number.NaN }, /^memoryGiB/],
    ["infinite memory", { ...smallest, memoryGiB: Number.POSITIVE_INFINITY }, /^memoryGiB/],
    ["no run time", { ...smallest, maxRuntimeSeconds: 0 }, /^maxRuntimeSeconds/],
    ["a run time of more than two weeks", { ...smallest, maxRuntimeSeconds: 14 * 86_400 + 1 }, /^maxRuntimeSeconds/],
    ["eleven retries", { ...smallest, retries: 11 }, /^retries/],
    ["an artifact above its folder", { ...smallest, artifacts: ["../secrets"] }, /^artifacts\.0: must be a path inside/],
    ["an artifact whose path goes up on its way", { ...smallest, artifacts: ["out/../../x"] }, /^artifacts\.0: must be a path inside/],
    ["an artifact with an absolute path", { ...smallest, artifacts: ["/etc/passwd"] }, /^artifacts\.0: must be a path inside/],
    ["an artifact with backslashes", { ...smallest, artifacts: ["out\\..\\x"] }, /^artifacts\.0: must be a path inside/],
    ["a required artifact above its folder", { ...smallest, artifacts: [{ path: "../x" }] }, /^artifacts\.0\.path: must be a path inside/],
    ["a glob above its folder", { ...smallest, artifacts: ["ckpt/../../*"] }, /^artifacts\.0: must be a path inside/],
    ["an artifact that is a number", { ...smallest, artifacts: [7] }, /^artifacts\.0: must be a path, such as "model\.pt"/],
    [
      "an artifact with an unknown field",
      { ...smallest, artifacts: [{ path: "a", must: true }] },
      /^artifacts\.0: there is no field "must"; there are: path, required/,
    ],
    ["an artifact with a NUL", { ...smallest, artifacts: ["out\0"] }, /^artifacts\.0: must be a path inside/],
    [
      "a variable of a reserved name",
      { ...smallest, env: { FLEETWRIGHT_TEAM: "audio" } },
      /^env\.FLEETWRIGHT_TEAM: begins with FLEETWRIGHT_/,
    ],
    ["a variable of an invalid name", { ...smallest, env: { "A B": "1" } }, /^env\.A B: /],
    ["a variable that is a number", { ...smallest, env: { A: 1 } }, /^env\.A: /],
    ["an id with a slash", { ...smallest, id: "a/b" }, /^id: an id is 1 to 100 of/],
    ["an id that begins with a dot", { ...smallest, id: "..", artifacts: [] }, /^id: /],
    ["an id of 101 characters", { ...smallest, id: "a".repeat(101) }, /^id: /],
    ["a pool in capitals", { ...smallest, pool: "GPU" }, /^pool: a pool is 1 to 30 of/],
    ["code from the web", { ...smallest, code: { s3: "https://example.com/a.tar.gz" } }, /^code\.s3: must look like s3:/],
    ["an invalid checksum", { ...smallest, code: { s3: "s3://bucket/a", sha256: "ABC" } }, /^code\.sha256: must be 64/],
    ["a list as a whole", [smallest], /expected an object, but got a list/],
    ["null as a whole", null, /expected an object, but got null/],
    ["a text as a whole", "python train.py", /expected an object, but got the text/],
  ])("a job message with %s is refused by the name of the field", (_what, message, reason) => {
    expect(why(message)).toMatch(reason);
  });

  test("a refused job message gets all its wrong fields named at once", () => {
    expect(why({ ...smallest, vcpus: 0, retries: -1 })).toMatch(/vcpus.*; retries/);
  });
});
