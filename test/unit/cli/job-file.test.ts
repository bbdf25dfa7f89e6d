import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callerFolder } from "../../../lib/cli/invocation/caller-folder.ts";
import { UsageError } from "../../../lib/cli/invocation/exit.ts";
import { parseJob, parseJobs, readJobFile, refuseTwice } from "../../../lib/cli/jobs/job-file.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleetwright-"));
});
afterAll(() => rm(folder, { recursive: true }));

const silent = (): void => undefined;

describe("a job file", () => {
  it("a job file is sent as it is written", async () => {
    const body = '{ "command": ["true"] }\n';
    await writeFile(join(folder, "job.json"), body);
    const file = join(folder, "job.json");
    expect(await readJobFile(file, silent)).toMatchObject([{ body, message: { command: ["true"] }, at: file }]);
  });

  it("a job file may begin with a byte order mark, which is not sent", async () => {
    await writeFile(join(folder, "bom.json"), '\uFEFF{"command":["true"]}');
    expect(await readJobFile(join(folder, "bom.json"), silent)).toMatchObject([{ body: '{"command":["true"]}' }]);
  });

  it.each([
    ["UTF-16, as PowerShell writes it", Buffer.from('\uFEFF{"command":["é"]}', "utf16le")],
    ["UTF-16 with the other order of bytes", Buffer.from('\uFEFF{"command":["é"]}', "utf16le").swap16()],
    ["UTF-8 without a byte order mark", Buffer.from('{"command":["é"]}')],
  ])("a job file may be %s", async (_, bytes) => {
    await writeFile(join(folder, "encoded.json"), bytes);
    expect(await readJobFile(join(folder, "encoded.json"), silent)).toMatchObject([{ message: { command: ["é"] } }]);
  });

  it("a job file in an unreadable folder, or below a file, is refused with a reason", async () => {
    await writeFile(join(folder, "plain"), "");
    await expect(readJobFile(join(folder, "plain", "job.json"), silent)).rejects.toThrow(
      /is below something that is a file, not a folder$/,
    );
    await symlink("loop.json", join(folder, "loop.json"));
    await expect(readJobFile(join(folder, "loop.json"), silent)).rejects.toThrow(/is a link that leads back to itself$/);
  });

  it.each([
    ["does not exist", "nowhere.json", /there is no file .*nowhere\.json in /],
    ["is a folder", ".", /is a folder, and a job file is expected/],
  ])("a job file is refused if it %s", async (_what, name, message) => {
    const reading = readJobFile(join(folder, name), silent);
    await expect(reading).rejects.toThrow(UsageError);
    await expect(reading).rejects.toThrow(message);
  });

  it.each([
    ["is empty", " \n", /^job\.json is not JSON: it is empty$/],
    ["is cut short", '{"command":["true"', /^job\.json is not JSON: /],
    ["is a number", "7", /^job\.json is not a job:\n {2}the message: expected an object, but got the number 7/],
    [
      "has a field that does not exist",
      '{"command":["true"],"gpu":1}',
      /the message: there is no field "gpu"; did you mean "gpus"\?(?:.|\n)*job\.schema\.json/,
    ],
    ["has a command that is not a list", '{"command":"true"}', /\n {2}command: expected a list, but got a text of 4 characters/],
  ])("a job is refused if it %s", (_what, body, message) => {
    expect(() => parseJob("job.json", body)).toThrow(UsageError);
    expect(() => parseJob("job.json", body)).toThrow(message);
  });
});

describe("a file of many jobs", () => {
  const ids = (text: string) => parseJobs("jobs", text).map(({ message, at }) => `${at}: ${message.id}`);

  it("a file of many jobs is a JSON array or JSON Lines, and may have blank lines and a byte order mark", () => {
    expect(ids('[{"id":"a","command":["x"]},\n {"id":"b","command":["x"]}]')).toEqual(["jobs, item 1: a", "jobs, item 2: b"]);
    const lines = '\uFEFF{"id":"a","command":["x"]}\r\n\r\n{"id":"b","command":["x"]}\r\n';
    expect(ids(lines)).toEqual(["jobs, line 1: a", "jobs, line 3: b"]);
    expect(parseJobs("jobs", lines).map(({ body }) => body)).toEqual(['{"id":"a","command":["x"]}', '{"id":"b","command":["x"]}']);
    expect(ids('{\n "id": "a",\n "command": ["x"]\n}\n')).toEqual(["jobs: a"]);
  });

  it("a file of more than 100,000 jobs is refused before any of them is read", () => {
    const lines = `{"command":["x"]}\n${"{}\n".repeat(100_000)}`;
    expect(() => parseJobs("jobs.jsonl", lines)).toThrow("jobs.jsonl has 100001 jobs, and at most 100000 are allowed; split it");
  });

  it("the error about a file of many jobs names at most ten invalid jobs", () => {
    const lines = ['{"command":["x"]}', '{"command":["x"],"gpus":"2"}', "{command}", ...Array.from({ length: 20 }, () => "{}")];
    const reading = () => parseJobs("jobs.jsonl", lines.join("\n"));
    expect(reading).toThrow(UsageError);
    expect(reading).toThrow(
      /^22 of the 23 jobs are invalid; nothing was sent\n {2}jobs\.jsonl, line 2 is not a job:\n {2}gpus: expected a whole number/,
    );
    expect(reading).toThrow(/\n {2}jobs\.jsonl, line 3 is not JSON: /);
    expect(reading).toThrow(/\n {2}and 12 more$/);
  });

  it.each([
    ["is an empty list", "[]", /^jobs is an empty list: it contains no job$/],
    ["is cut short", '[{"command":["x"]}', /^jobs is not JSON: /],
    [
      "contains an item that is not a job",
      '[7, {"command":["x"]}]',
      /^1 of the 2 jobs are invalid; nothing was sent\n {2}jobs, item 1 is not a job/,
    ],
    ["is a broken object of several lines", '{\n"command":["x"]\n', /^jobs is not JSON: /],
  ])("a file of many jobs is refused if it %s", (_what, text, message) => {
    expect(() => parseJobs("jobs", text)).toThrow(message);
  });

  it("a file may contain the same job twice, but not two jobs with one id", () => {
    const twice = parseJobs("jobs", '{"id":"a","command":["x"]}\n{"command":["x"],"id":"a"}\n{"id":"a","command":["x"],"gpus":1}');
    expect(() => refuseTwice(twice)).not.toThrow();
    const other = parseJobs("jobs", '{"id":"a","command":["x"]}\n{"id":"a","command":["y"]}');
    expect(() => refuseTwice(other)).toThrow(/^jobs, line 2: the id a already names another job, in jobs, line 1; nothing was sent$/);
  });
});

describe("the folder that paths are relative to", () => {
  it.each([
    ["the folder where npm was called, if npm runs fleet", { npm_lifecycle_event: "fleet", INIT_CWD: "/home/ada/jobs" }, "/home/ada/jobs"],
    ["the current folder, if another npm script runs", { npm_lifecycle_event: "test", INIT_CWD: "/home/ada/jobs" }, "/here"],
    ["the current folder, without npm", {}, "/here"],
  ])("paths are relative to %s", (_what, environment, expected) => {
    expect(callerFolder(environment, "/here")).toBe(expected);
  });
});
