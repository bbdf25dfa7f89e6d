import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import type { Sent } from "../../../lib/aws/queues/job-queue.ts";
import { submit } from "../../../lib/cli/commands/jobs/submit.ts";
import { submitCommand } from "../../../lib/cli/commands/jobs/submit-command.ts";
import { UsageError } from "../../../lib/cli/invocation/exit.ts";
import { parseJob } from "../../../lib/cli/jobs/job-file.ts";
import { aJobView, aMe } from "./api-samples.ts";
import { aContext, type Called, type FakeApi, type FakeResponse, problem, type Routes, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleetwright-submit-"));
});
afterEach(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});
const start = async (routes: Routes = {}) => {
  api = await startFakeApi({ [checkPath]: allFit, "POST /v1/teams/vision/jobs/check": allFit, ...routes });
  return aContext(api);
};
const job = (fields: object) => parseJob("job.json", JSON.stringify({ command: ["true"], ...fields }));
const checkPath = "POST /v1/teams/research/jobs/check";
const verdicts = (items: readonly { accepted: boolean; because?: string }[]) => ({ body: { items } });
/** A response that accepts every job. */
const allFit = ({ body }: Called): FakeResponse => ({
  body: {
    items: z
      .object({ jobs: z.array(z.unknown()) })
      .parse(body)
      .jobs.map(() => ({ accepted: true, pool: "gpu" })),
  },
});

describe("a job file", () => {
  it("fleet submit sends a job to the team's queue as it is written, and prints its id", async () => {
    const { on, printed, sent } = await start();
    const files = [job({ id: "train-7" }), job({})];
    expect(await submit(files, { team: "research" }, on)).toBe(0);
    expect(sent).toEqual(files.map(({ body }) => ({ team: "research", body })));
    expect(printed.out).toEqual(["train-7", "message-2"]);
    expect(printed.note.at(-1)).toMatch(/follow with: fleet logs train-7 -f --team research/);
  });

  it("fleet submit --json prints one object", async () => {
    const { on, printed } = await start();
    expect(await submit([job({})], { team: "vision", json: true }, on)).toBe(0);
    expect(printed.out.map((line) => JSON.parse(line))).toEqual([{ team: "vision", jobs: ["message-1"] }]);
  });

  it("fleet submit sends a job for the caller's own team if no team is named", async () => {
    const { on, sent } = await start({ "GET /v1/me": { body: aMe({ admin: false, team: "vision", teams: ["vision"] }) } });
    await submit([job({})], {}, on);
    expect(sent).toMatchObject([{ team: "vision" }]);
  });

  it("fleet submit sends no job if the deployment would refuse one of them, and prints its reason", async () => {
    const { on, sent } = await start({ [checkPath]: verdicts([{ accepted: true }, { accepted: false, because: "no pool has 9 GPUs" }]) });
    const submitting = submit([job({}), job({ id: "train-7", gpus: 9 })], { team: "research" }, on);
    await expect(submitting).rejects.toThrow(UsageError);
    await expect(submitting).rejects.toThrow(/^1 of the 2 jobs cannot run; nothing was sent\n {2}job\.json: no pool has 9 GPUs$/);
    expect(sent).toEqual([]);
    expect(api.calls[0]?.body).toMatchObject({ jobs: [{ command: ["true"] }, { id: "train-7", gpus: 9 }] });
  });

  it("fleet submit prints the deployment's own reason for a job that cannot run", async () => {
    const { on } = await start({ [checkPath]: verdicts([{ accepted: false, because: "the id a already names another job" }]) });
    await expect(submit([job({ id: "a" })], { team: "research" }, on)).rejects.toThrow(
      /^the id a already names another job\n {2}nothing was sent$/,
    );
  });

  it.each([
    [
      "an API that is down",
      { status: 503, body: "" },
      /^jobs are sent without a check, because the API could not be asked: the API returned 503/,
    ],
    ["a caller without permission", problem(403, "denied", "You may not."), /could not be asked: You may not\.$/],
  ])("fleet submit sends a job without the API: %s", async (_what, response, note) => {
    const { on, printed, sent } = await start({ [checkPath]: response });
    expect(await submit([job({ id: "train-7" })], { team: "research" }, on)).toBe(0);
    expect(sent).toHaveLength(1);
    expect(printed.note[0]).toMatch(note);
  });

  it.each([
    ["succeeded", 0],
    ["failed", 1],
    ["cancelled", 1],
  ])("fleet submit --wait waits until a job has %s, and sets the exit code accordingly", async (state, code) => {
    const { on, printed, pauses } = await start({
      "GET /v1/teams/research/jobs/message-1": [{ body: aJobView() }, { body: aJobView({ state, reason: "so" }) }],
    });
    expect(await submit([job({})], { team: "research", wait: true, json: true }, on)).toBe(code);
    expect(pauses).toEqual([500]);
    expect(printed.note.slice(1)).toEqual(["message-1  running on i-0123456789abcdef0", `message-1  ${state} on i-0123456789abcdef0: so`]);
    expect(JSON.parse(printed.out.join(""))).toMatchObject([{ id: "train-7", state }]);
  });
});

describe("many jobs", () => {
  const many = (count: number, named = true) => Array.from({ length: count }, (_, n) => job(named ? { id: `job-${n}` } : {}));

  it("fleet submit checks many jobs a hundred per call, and sends them together", async () => {
    const { on, printed, sent } = await start();
    expect(await submit(many(250), { team: "research" }, on)).toBe(0);
    expect(api.calls.map(({ body }) => z.object({ jobs: z.array(z.unknown()) }).parse(body).jobs.length).toSorted()).toEqual([
      100, 100, 50,
    ]);
    expect(sent).toHaveLength(250);
    expect(printed.out).toEqual(Array.from({ length: 250 }, (_, n) => `job-${n}`));
  });

  it.each([
    [true, /every job has an id, so a job that was already sent does not run twice/],
    [false, /send only these again: a job without an "id"/],
  ])("fleet submit names jobs that could not be sent, and says how to send them again (with ids: %s)", async (named, advice) => {
    const { on, printed } = await start();
    const sendAll = async (_team: string, bodies: readonly string[]): Promise<readonly Sent[]> =>
      bodies.map((_body, index) =>
        index === 1 ? { kind: "failed", error: new Error("throttled") } : { kind: "sent", messageId: `m-${index}` },
      );
    const connection = { ...on.connection, queue: { ...on.connection.queue, sendAll } };
    expect(await submit(many(3, named), { team: "research" }, { ...on, connection })).toBe(1);
    expect(printed.out).toEqual(named ? ["job-0", "job-2"] : ["m-0", "m-2"]);
    expect(printed.note[0]).toBe("fleet: 1 of 3 jobs could not be sent:");
    expect(printed.note[1]).toBe(named ? "  job.json (job-1): throttled" : "  job.json: throttled");
    expect(printed.note[2]).toMatch(advice);
    expect(await submit(many(3, named), { team: "research", json: true }, { ...on, connection })).toBe(1);
    expect(JSON.parse(printed.out.at(-1) ?? "")).toMatchObject({ notSent: [{ at: "job.json", because: "throttled" }] });
  });
});

describe("a folder and a command", () => {
  it("fleet submit --workdir sends a job whose code is the packed folder", async () => {
    await writeFile(join(folder, "train.py"), "print(1)");
    const { on, printed, sent } = await start();
    const uploaded: string[] = [];
    const code = {
      putCode: async ({ team, file }: { team: string; file: string }) => {
        uploaded.push(file);
        return { code: { s3: `s3://code/${team}/x.tar.gz`, sha256: "a".repeat(64) }, sent: true };
      },
    };
    const connection = { ...on.connection, code };
    const options = { workdir: folder, team: "research", id: "train-7", gpus: 2, maxRuntime: 60, spot: true };
    expect(await submitCommand(["python", "train.py", "--lr=1"], options, { ...on, connection })).toBe(0);
    expect(uploaded).toHaveLength(1);
    expect(JSON.parse(sent[0]?.body ?? "")).toEqual({
      id: "train-7",
      command: ["python", "train.py", "--lr=1"],
      code: { s3: "s3://code/research/x.tar.gz", sha256: "a".repeat(64) },
      gpus: 2,
      maxRuntimeSeconds: 60,
    });
    expect(printed.note[0]).toMatch(/: 1 file, 8 bytes, \d+ bytes packed$/);
    expect(printed.note.join("\n")).not.toContain("nothing sent");
    expect(printed.out).toEqual(["train-7"]);
  });

  it("fleet submit --workdir says that nothing was uploaded if the folder is unchanged", async () => {
    await writeFile(join(folder, "train.py"), "print(1)");
    const { on, printed } = await start();
    const code = {
      putCode: async ({ team }: { team: string }) => ({ code: { s3: `s3://code/${team}/x.tar.gz`, sha256: "a".repeat(64) }, sent: false }),
    };
    const options = { workdir: folder, team: "research", spot: true };
    expect(await submitCommand(["true"], options, { ...on, connection: { ...on.connection, code } })).toBe(0);
    expect(printed.note[1]).toBe("unchanged since the last upload; nothing was sent");
  });

  it("fleet submit --strict sends nothing if something cannot be packed", async () => {
    await writeFile(join(folder, "train.py"), "print(1)");
    await symlink("/etc/passwd", join(folder, "passwd"));
    const { on, sent } = await start();
    const options = { workdir: folder, team: "research", spot: true, strict: true };
    await expect(submitCommand(["true"], options, on)).rejects.toThrow(/passwd: a link to \/etc\/passwd, outside the folder/);
    expect(sent).toEqual([]);
  });

  it.each([
    ["an invalid job", { gpus: 99 }, /--gpus: /],
    ["an unknown pool", { pool: "big" }, /no pool big; there are: gpu/],
    ["an unknown team", { team: "sales" }, /no team sales/],
  ])("fleet submit --workdir does not pack the folder for %s", async (_what, wrong, message) => {
    const { on, sent } = await start();
    const options = { workdir: join(folder, "not-there"), team: "research", spot: true, ...wrong };
    await expect(submitCommand(["true"], options, on)).rejects.toThrow(message);
    expect(sent).toEqual([]);
  });

  it("fleet submit --workdir does not pack the folder for a job that the deployment would refuse", async () => {
    const { on, sent } = await start({ [checkPath]: verdicts([{ accepted: false, because: "no instance type has H100" }]) });
    const options = { workdir: join(folder, "not-there"), team: "research", spot: true, gpuModel: ["H100"] };
    await expect(submitCommand(["true"], options, on)).rejects.toThrow(/^no instance type has H100\n {2}nothing was sent$/);
    expect(sent).toEqual([]);
  });

  it("fleet submit sends a command without a folder", async () => {
    const { on, sent } = await start();
    expect(await submitCommand(["nvidia-smi", "-L"], { team: "research", spot: true, gpus: 2 }, on)).toBe(0);
    expect(JSON.parse(sent[0]?.body ?? "")).toEqual({ command: ["nvidia-smi", "-L"], gpus: 2 });
  });

  it("fleet submit sends an image without a folder", async () => {
    const { on, sent } = await start();
    expect(await submitCommand([], { image: "img:1", team: "research", spot: true }, on)).toBe(0);
    expect(JSON.parse(sent[0]?.body ?? "")).toEqual({ command: [], image: "img:1" });
  });
});
