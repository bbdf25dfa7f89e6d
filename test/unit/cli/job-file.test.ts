import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askedFrom } from "../../../lib/cli/asked-from.ts";
import { UsageError } from "../../../lib/cli/exit.ts";
import { parseJob, readJobFile } from "../../../lib/cli/job-file.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleetwright-"));
});
afterAll(() => rm(folder, { recursive: true }));

const silent = (): void => undefined;

describe("a job file", () => {
  it("is sent as it is written", async () => {
    const body = '{ "command": ["true"] }\n';
    await writeFile(join(folder, "job.json"), body);
    expect(await readJobFile(join(folder, "job.json"), silent)).toMatchObject({ body, message: { command: ["true"] } });
  });

  it.each([
    ["is not there", "nowhere.json", /there is no file .*nowhere\.json in /],
    ["is a folder", ".", /is a folder; a job is a file/],
  ])("is refused when it %s", async (_what, name, message) => {
    const reading = readJobFile(join(folder, name), silent);
    await expect(reading).rejects.toThrow(UsageError);
    await expect(reading).rejects.toThrow(message);
  });

  it.each([
    ["is empty", " \n", /^job\.json is not JSON: it is empty$/],
    ["is cut short", '{"command":["true"', /^job\.json is not JSON: /],
    ["is a list", "[]", /^job\.json is not a job:\n {2}the message: .*object/],
    ["has a field that does not exist", '{"command":["true"],"gpu":1}', /the message: .*"gpu"(?:.|\n)*job\.schema\.json/],
    ["has a command that is no list", '{"command":"true"}', /\n {2}command: .*array/],
  ])("is refused when it %s", (_what, body, message) => {
    expect(() => parseJob("job.json", body)).toThrow(UsageError);
    expect(() => parseJob("job.json", body)).toThrow(message);
  });
});

describe("paths are meant from", () => {
  it.each([
    ["where npm was called, when it runs us", { npm_lifecycle_event: "fleet", INIT_CWD: "/home/ada/jobs" }, "/home/ada/jobs"],
    ["where we are, when a test of npm's started us", { npm_lifecycle_event: "test", INIT_CWD: "/home/ada/jobs" }, "/here"],
    ["where we are, without npm", {}, "/here"],
  ])("%s", (_what, environment, expected) => {
    expect(askedFrom(environment, "/here")).toBe(expected);
  });
});
