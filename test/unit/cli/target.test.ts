import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { use } from "../../../lib/cli/commands/use.ts";
import { rememberTarget } from "../../../lib/cli/session/remembered.ts";
import { noLocalCloud, standing } from "../../../lib/cli/session/standing.ts";
import { choose } from "../../../lib/cli/session/target.ts";
import { announce } from "../../../lib/local/announcement.ts";

const cloud = { endpoint: "http://127.0.0.1:4566", pid: 7, startedAt: "2026-06-01T00:00:00.000Z" };
const older = { ...cloud, endpoint: "http://127.0.0.1:4600", pid: 6 };
const ended = { ...cloud, endedAt: "2026-06-01T01:00:00.000Z" };

describe("where a command goes", () => {
  it.each([
    ["AWS if no local cloud ever ran", {}, { running: [] }, { kind: "aws", because: "clouds" }],
    ["the newest local cloud if several run", {}, { running: [cloud, older] }, { kind: "local", cloud, because: "clouds" }],
    [
      "nowhere after the local cloud has ended, and never AWS",
      {},
      { running: [], last: ended },
      { kind: "gone", last: ended, because: "clouds" },
    ],
    ["AWS with --aws, even if a local cloud runs", { option: "aws" }, { running: [cloud] }, { kind: "aws", because: "option" }],
    ["AWS with --aws after one has ended", { option: "aws" }, { running: [], last: ended }, { kind: "aws", because: "option" }],
    ["nowhere with --local if none runs", { option: "local" }, { running: [] }, { kind: "gone", because: "option" }],
    [
      "AWS after `fleet use aws`, even if a local cloud runs",
      { remembered: "aws" },
      { running: [cloud] },
      { kind: "aws", because: "remembered" },
    ],
    ["nowhere after `fleet use local` if none runs", { remembered: "local" }, { running: [] }, { kind: "gone", because: "remembered" }],
    [
      "the target of the shell rather than the remembered one",
      { environment: "local", remembered: "aws" },
      { running: [cloud] },
      { kind: "local", cloud, because: "environment" },
    ],
    [
      "the target of the option rather than that of the shell",
      { option: "aws", environment: "local" },
      { running: [cloud] },
      { kind: "aws", because: "option" },
    ],
  ] as const)("a command goes to %s", (_what, wishes, clouds, choice) => {
    expect(choose(wishes, clouds)).toEqual(choice);
  });
});

describe("the target in this user's folder", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "fleetwright-"));
    vi.stubEnv("FLEETWRIGHT_HOME", folder);
    vi.stubEnv("FLEETWRIGHT_TARGET", "");
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });

  async function shown(...args: Parameters<typeof use> extends [infer T, ...unknown[]] ? [T] : never): Promise<string> {
    const out: string[] = [];
    expect(await use(args[0], {}, { out: (line) => void out.push(line) })).toBe(0);
    return out.join("\n");
  }

  it("`fleet use` shows the target and the reason", async () => {
    expect(await shown(undefined)).toMatch(/^target +AWS.*\nbecause +no local cloud was ever started/);
    const local = await announce(folder, { endpoint: cloud.endpoint });
    expect(await shown(undefined)).toMatch(
      /^target +local cloud at http:\/\/127\.0\.0\.1:4566, .*\nbecause +it is the local cloud that runs/,
    );
    expect(await shown("aws")).toMatch(/^target +AWS.*\nbecause +you ran "fleet use aws"/);
    expect(await shown("local")).toMatch(/^target +local cloud at .*\nbecause +you ran "fleet use local"/);
    await local.close();
    expect(await shown(undefined)).toMatch(/^target +none: commands fail until .*use aws/);
  });

  it("`fleet use` remembers a target, which an option overrides", async () => {
    await rememberTarget(folder, "aws");
    expect((await standing()).choice).toEqual({ kind: "aws", because: "remembered" });
    expect((await standing("local")).choice).toMatchObject({ kind: "gone", because: "option" });
  });

  it("`fleet use --json` prints the target as JSON", async () => {
    const out: string[] = [];
    await use("aws", { json: true }, { out: (line) => void out.push(line) });
    expect(JSON.parse(out.join(""))).toEqual({ target: "aws", because: "remembered", endpoint: null, localClouds: [] });
  });

  it("a command fails if the user's folder cannot be read, and does not guess the target", async () => {
    await writeFile(join(folder, "clouds"), "a file");
    await expect(standing()).rejects.toThrow(/cannot read .*, which records whether a local cloud runs .*--aws/);
    expect((await standing("aws")).choice.kind).toBe("aws");
  });

  it("a command refuses a FLEETWRIGHT_TARGET that is neither local nor aws", async () => {
    vi.stubEnv("FLEETWRIGHT_TARGET", "AWS");
    await expect(standing()).rejects.toThrow('FLEETWRIGHT_TARGET is "AWS"; it must be local or aws');
  });
});

it("the error about a local cloud that has ended names it, and what the user can do", () => {
  const { message } = noLocalCloud(ended);
  expect(message).toMatch(/the one at http:\/\/127\.0\.0\.1:4566 ended at 2026-06-01T01:00:00.000Z.* did not use AWS instead/);
  expect(message).toMatch(/\n {2}on this machine: .*local\n {2}on AWS: .*use aws$/);
  expect(noLocalCloud(cloud).message).toContain("the one at http://127.0.0.1:4566 was killed");
});
