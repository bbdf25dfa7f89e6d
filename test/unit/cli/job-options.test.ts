import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { JobMessage } from "../../../events/job.ts";
import { UsageError } from "../../../lib/cli/invocation/exit.ts";
import { type JobOptions, jobOf } from "../../../lib/cli/jobs/job-options.ts";
import { dataset, each, number, seconds, variable, whole } from "../../../lib/cli/program/options.ts";
import { openSession } from "../../../lib/cli/program/session.ts";
import { addSubmit } from "../../../lib/cli/program/submit.ts";
import { aTerminal } from "./streams.ts";

it("a command without options is the smallest job", () => {
  const { body, message } = jobOf(["python", "train.py"], { spot: true });
  expect(JSON.parse(body)).toEqual({ command: ["python", "train.py"] });
  expect(message).toMatchObject({ gpus: { count: 1 }, vcpus: 2, memoryGiB: 8, spot: true, nodes: 1 });
});

/** A value for each option of submit that sets a field of the job. */
const everyOption: Required<JobOptions> = {
  id: "train-7",
  image: "img:1",
  gpus: 2,
  gpuModel: ["T4", "A10G"],
  gpuMemory: 20,
  vcpus: 8,
  memory: 32,
  pool: "gpu",
  priority: 5,
  maxRuntime: 7_200,
  retries: 3,
  env: { A: "b" },
  artifact: ["out"],
  spot: false,
  nodes: 2,
  zone: ["us-east-1a"],
  dataset: [{ name: "images", share: "part" }],
};

it("every option of submit sets its field of the job", () => {
  const code = { s3: "s3://code/research/x.tar.gz", sha256: "a".repeat(64) };
  const { body } = jobOf(["python", "train.py"], everyOption, code);
  expect(JSON.parse(body)).toEqual({
    id: "train-7",
    command: ["python", "train.py"],
    image: "img:1",
    code,
    gpus: { count: 2, models: ["T4", "A10G"], memoryGiB: 20 },
    vcpus: 8,
    memoryGiB: 32,
    pool: "gpu",
    priority: 5,
    maxRuntimeSeconds: 7_200,
    retries: 3,
    env: { A: "b" },
    artifacts: ["out"],
    spot: false,
    nodes: 2,
    datasets: [{ name: "images", share: "part" }],
    zones: ["us-east-1a"],
  });
  expect(Object.keys(JSON.parse(body)).toSorted()).toEqual(Object.keys(JobMessage.shape).toSorted());
});

it("fleet submit accepts every option that sets a field of the job", () => {
  const program = new Command();
  addSubmit(program, openSession(program, { argv: [], console: aTerminal({ isTTY: false }).console }));
  const accepted = program.commands.flatMap(({ options }) => options.map((option) => option.attributeName()));
  expect(Object.keys(everyOption).filter((name) => !accepted.includes(name))).toEqual([]);
});

it.each([
  [{ gpus: 65 }, /^--gpus: /],
  [{ gpus: 1, gpuMemory: -1 }, /^--gpu-memory: /],
  [{ gpuModel: [""] }, /^--gpu-model: /],
  [{ maxRuntime: 0 }, /^--max-runtime: /],
  [{ memory: 0 }, /^--memory: /],
  [{ artifact: ["../x"] }, /^--artifact: must be a path inside/],
  [{ env: { FLEETWRIGHT_TEAM: "x" } }, /^--env FLEETWRIGHT_TEAM: begins with FLEETWRIGHT_: Fleetwright reserves/],
  [{ dataset: [{ name: "UPPER", share: "whole" }] }, /^--dataset: /],
  [{ nodes: 100 }, /^--nodes: /],
  [{ zone: ["moon"] }, /^--zone: is not the name of an availability zone/],
  [{ id: "a b" }, /^--id: an id is/],
  [{ env: { A: "x".repeat(16_000), B: "x".repeat(16_384), C: "x".repeat(1_000) } }, /the job has \d+ bytes, and at most 32768 are allowed/],
])("the error about an invalid option names the option: %#", (options, message) => {
  expect(() => jobOf(["true"], { spot: true, ...options })).toThrow(UsageError);
  expect(() => jobOf(["true"], { spot: true, ...options })).toThrow(message);
});

it("a job without a command is refused, unless it has an image", () => {
  expect(() => jobOf([], { spot: true })).toThrow(/^the command after --: say what to run/);
  expect(jobOf([], { spot: true, image: "img" }).message.image).toBe("img");
});

describe("the values of options", () => {
  it("the values of options are parsed", () => {
    expect(each("b", each("a"))).toEqual(["a", "b"]);
    expect(variable("C=", variable("A=b=c"))).toEqual({ A: "b=c", C: "" });
    expect(dataset("b:part", dataset("a"))).toEqual([
      { name: "a", share: "whole" },
      { name: "b", share: "part" },
    ]);
    expect([whole("7", 1, 9), number("0.5"), seconds("2h")]).toEqual([7, 0.5, 7_200]);
  });

  it.each([
    ["a whole number", () => whole("1.5", 1, 9)],
    ["a whole number", () => whole("", 0, 9)],
    ["a whole number from 1 to 9", () => whole("10", 1, 9)],
    ["a number", () => number("two")],
    ["a number", () => number(" ")],
    ["a duration", () => seconds("soon")],
    ["NAME=VALUE", () => variable("A")],
    ["NAME=VALUE", () => variable("=b")],
    ["NAME or NAME:part", () => dataset("a:half")],
    ["NAME or NAME:part", () => dataset("a:part:b")],
  ])("an invalid value of an option is refused: expected %s", (wanted, read) => {
    expect(read).toThrow(wanted);
  });
});
