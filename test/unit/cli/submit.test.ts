import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { submit } from "../../../lib/cli/commands/submit.ts";
import { submitCommand } from "../../../lib/cli/commands/submit-command.ts";
import { parseJob } from "../../../lib/cli/job-file.ts";
import { aSpec } from "../../fakes/builders.ts";
import { aJobView, aMe } from "./api-samples.ts";
import { aContext, type FakeApi, type Routes, startFakeApi } from "./fake-api.ts";

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
  api = await startFakeApi(routes);
  return aContext(api);
};
const job = (fields: object) => parseJob("job.json", JSON.stringify({ command: ["true"], ...fields }));
const jobPath = "/v1/teams/research/jobs/train-7";

describe("a job file", () => {
  it("goes to the team's queue as it is written, and its id is the result", async () => {
    const { on, said, sent } = await start();
    const files = [job({ id: "train-7" }), job({})];
    expect(await submit(files, { team: "research" }, on)).toBe(0);
    expect(sent).toEqual(files.map(({ body }) => ({ team: "research", body })));
    expect(said.out).toEqual(["train-7", "message-2"]);
    expect(said.note.at(-1)).toMatch(/follow with: fleet logs train-7 -f --team research/);
  });

  it("as JSON, is one object", async () => {
    const { on, said } = await start();
    expect(await submit([job({})], { team: "vision", json: true }, on)).toBe(0);
    expect(said.out.map((line) => JSON.parse(line))).toEqual([{ team: "vision", jobs: ["message-1"] }]);
  });

  it("is sent for the caller's own team when none was named", async () => {
    const { on, sent } = await start({ "GET /v1/me": { body: aMe({ admin: false, team: "vision", teams: ["vision"] }) } });
    await submit([job({})], {}, on);
    expect(sent).toMatchObject([{ team: "vision" }]);
  });

  it("of an id that names another job is not sent, and nor are those beside it", async () => {
    const { on, sent } = await start({ [`GET ${jobPath}`]: { body: aJobView() } });
    await expect(submit([job({}), job({ id: "train-7" })], { team: "research" }, on)).rejects.toThrow(
      /id train-7 already names another job of team research \(running\); nothing was sent/,
    );
    expect(sent).toEqual([]);
  });

  it("of an id that was rejected is not sent: it would be nobody's", async () => {
    const { on, sent } = await start({ [`GET ${jobPath}`]: { body: aJobView({ state: "rejected", reason: "no pool", spec: undefined }) } });
    await expect(submit([job({ id: "train-7" })], { team: "research" }, on)).rejects.toThrow(/was rejected \(no pool\).*choose a new id/);
    expect(sent).toEqual([]);
  });

  it("sent again is the same job, whatever the API left to its defaults", async () => {
    const again = job({ id: "train-7", command: ["python", "train.py"], maxRuntimeSeconds: 3600 });
    const { on, sent } = await start({ [`GET ${jobPath}`]: { body: aJobView({ spec: aSpec() }) } });
    expect(await submit([again], { team: "research" }, on)).toBe(0);
    expect(sent).toHaveLength(1);
  });

  it("needs no API to be sent", async () => {
    const { on, said, sent } = await start({ [`GET ${jobPath}`]: { status: 503, body: "" } });
    expect(await submit([job({ id: "train-7" })], { team: "research" }, on)).toBe(0);
    expect(sent).toHaveLength(1);
    expect(said.note[0]).toMatch(/whether the id train-7 is in use is not known: the API answered 503/);
  });

  it.each([
    ["succeeded", 0],
    ["failed", 1],
    ["cancelled", 1],
  ])("is waited for, and the exit code says that it has %s", async (state, code) => {
    const { on, said } = await start({
      "GET /v1/teams/research/jobs/message-1": [{ body: aJobView() }, { body: aJobView({ state, reason: "so" }) }],
    });
    expect(await submit([job({})], { team: "research", wait: true, json: true }, on)).toBe(code);
    expect(said.note.slice(1)).toEqual(["message-1  running on i-0123456789abcdef0", `message-1  ${state} on i-0123456789abcdef0: so`]);
    expect(JSON.parse(said.out.join(""))).toMatchObject([{ id: "train-7", state }]);
  });
});

describe("a folder and a command", () => {
  it("are a job whose code is the packed folder", async () => {
    await writeFile(join(folder, "train.py"), "print(1)");
    const { on, said, sent } = await start();
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
    expect(said.note[0]).toMatch(/: 1 file, 8 bytes, \d+ bytes packed$/);
    expect(said.note.join("\n")).not.toContain("nothing sent");
    expect(said.out).toEqual(["train-7"]);
  });

  it("says that nothing was sent if the folder is unchanged since the last time", async () => {
    await writeFile(join(folder, "train.py"), "print(1)");
    const { on, said } = await start();
    const code = {
      putCode: async ({ team }: { team: string }) => ({ code: { s3: `s3://code/${team}/x.tar.gz`, sha256: "a".repeat(64) }, sent: false }),
    };
    const options = { workdir: folder, team: "research", spot: true };
    expect(await submitCommand(["true"], options, { ...on, connection: { ...on.connection, code } })).toBe(0);
    expect(said.note[1]).toBe("unchanged since the last time, nothing sent");
  });

  it("are not submitted with --strict if something cannot be packed", async () => {
    await writeFile(join(folder, "train.py"), "print(1)");
    await symlink("/etc/passwd", join(folder, "passwd"));
    const { on, sent } = await start();
    const options = { workdir: folder, team: "research", spot: true, strict: true };
    await expect(submitCommand(["true"], options, on)).rejects.toThrow(/passwd: a link to \/etc\/passwd, outside the folder/);
    expect(sent).toEqual([]);
  });

  it.each([
    ["a job that is none", { gpus: 99 }, /--gpus: /],
    ["a pool that is none", { pool: "big" }, /no pool big; there are: gpu/],
    ["a team that is none", { team: "sales" }, /no team sales/],
  ])("are not even packed for %s", async (_what, wrong, message) => {
    const { on, sent } = await start();
    const options = { workdir: join(folder, "not-there"), team: "research", spot: true, ...wrong };
    await expect(submitCommand(["true"], options, on)).rejects.toThrow(message);
    expect(sent).toEqual([]);
  });

  it("an image needs no folder", async () => {
    const { on, sent } = await start();
    expect(await submitCommand([], { image: "img:1", team: "research", spot: true }, on)).toBe(0);
    expect(JSON.parse(sent[0]?.body ?? "")).toEqual({ command: [], image: "img:1" });
  });
});
