import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { stsClient } from "../../lib/aws/clients/sts.ts";
import { localSettings } from "../../lib/cli/session/connection.ts";
import { teamRole } from "../../lib/model/deployment.ts";
import { type Command, type Ended, fleet as fleetIn, freePort, openHome, start } from "../e2e/fleet-command.ts";

const JobJson = z.object({ id: z.string(), team: z.string(), state: z.string(), attempts: z.int(), exitCode: z.int().nullable() });

const RunningJson = JobJson.extend({ node: z.string().nullable() });

const hello = { id: "hello", command: ["sh", "-c", "echo hi there; echo hi > out.txt"], artifacts: ["out.txt"], maxRuntimeSeconds: 60 };
const failing = { id: "failing", command: ["sh", "-c", "echo no data >&2; exit 3"], maxRuntimeSeconds: 60 };

let home: Awaited<ReturnType<typeof openHome>>;
let folder: string;
let cloud: Command;

const fleet = (...args: string[]): Promise<Ended> => fleetIn(args, { home: home.path });
const inFolder = (name: string): string => join(folder, name);

let port: number;
beforeAll(async () => {
  [home, folder, port] = await Promise.all([openHome(), mkdtemp(join(tmpdir(), "fleetwright-jobs-")), freePort()]);
  await writeFile(inFolder("hello.json"), JSON.stringify(hello));
  await writeFile(inFolder("failing.json"), JSON.stringify(failing));
  await writeFile(inFolder("other-hello.json"), JSON.stringify({ ...hello, command: ["true"] }));
  await writeFile(inFolder("unknown-field.json"), '{"command":["true"],"gpu":1}');
  cloud = start(["local", "--port", String(port)], { home: home.path });
  await cloud.says(/^local cloud at http/m);
});
afterAll(async () => {
  cloud?.kill();
  await cloud?.ended;
  await Promise.all([home.close(), rm(folder, { recursive: true })]);
});

describe("fleet with a running local cloud", () => {
  it("the local cloud listens on the given port", async () => {
    const [, at] = await cloud.says(/^local cloud at (\S+)/m);
    expect(at).toBe(`http://127.0.0.1:${port}`);
  });

  it("fleet submit --wait waits, and its exit code says whether the job succeeded", async () => {
    const [good, bad] = await Promise.all([
      fleet("submit", inFolder("hello.json"), "--team", "research", "--wait"),
      fleet("submit", inFolder("failing.json"), "--team", "research", "--wait", "--json"),
    ]);
    expect(good).toMatchObject({ code: 0, out: "" });
    expect(good.err).toMatch(/hello {2}succeeded/);
    expect(bad.code).toBe(1);
    const jobs = z.array(JobJson).parse(JSON.parse(bad.out));
    expect(jobs).toMatchObject([{ id: "failing", state: "failed", attempts: 1, exitCode: 3 }]);
  });

  it("fleet submit takes a job from standard input, and prints only its id on stdout", async () => {
    const plain = await fleetIn(["submit", "-", "--team", "vision"], { home: home.path, input: '{"id":"piped","command":["true"]}' });
    expect(plain).toMatchObject({ code: 0, out: "piped\n" });
    const again = await fleetIn(["submit", "-", "--json"], {
      home: home.path,
      input: '{"id":"piped","command":["true"]}',
      environment: { FLEETWRIGHT_TEAM: "vision" },
    });
    expect(again.code).toBe(0);
    expect(JSON.parse(again.out)).toEqual({ team: "vision", jobs: ["piped"] });
  });

  it("fleet shows a job, its output and its artifacts", async () => {
    const [job, jobJson, logs, logsJson, artifacts, artifactsJson] = await Promise.all([
      fleet("job", "hello", "--team", "research"),
      fleet("job", "hello", "--team", "research", "--json"),
      fleet("logs", "hello", "--team", "research"),
      fleet("logs", "hello", "--team", "research", "--json"),
      fleet("artifacts", "get", "hello", inFolder("out"), "--team", "research"),
      fleet("artifacts", "get", "hello", inFolder("out-json"), "--team", "research", "--json"),
    ]);
    expect(job.out).toMatch(/^state +succeeded$/m);
    expect(JobJson.parse(JSON.parse(jobJson.out))).toMatchObject({ id: "hello", team: "research", state: "succeeded", exitCode: 0 });
    expect(logs.out).toBe("hi there\n");
    expect(JSON.parse(logsJson.out)).toMatchObject([{ text: "hi there" }]);
    expect(artifacts.out).toMatch(/^1 file in /);
    expect(JSON.parse(artifactsJson.out)).toMatchObject({ job: "hello", artifacts: [{ path: "out.txt", bytes: 3 }] });
    for (const name of ["out", "out-json"]) expect(await readFile(inFolder(`${name}/out.txt`), "utf8")).toBe("hi\n");
  });

  it("fleet jobs lists jobs page by page", async () => {
    const List = z.object({ jobs: z.array(JobJson), cursor: z.string().nullable() });
    const [table, failed, first] = await Promise.all([
      fleet("jobs", "--team", "research"),
      fleet("jobs", "--team", "research", "--state", "failed", "--json"),
      fleet("jobs", "--team", "research", "--limit", "1", "--json"),
    ]);
    expect(table.out).toMatch(/^ID +STATE .*\n(.*\n)*hello +succeeded/);
    expect(List.parse(JSON.parse(failed.out)).jobs.map(({ id }) => id)).toEqual(["failing"]);
    const page = List.parse(JSON.parse(first.out));
    expect(page.cursor).not.toBeNull();
    const next = await fleet("jobs", "--team", "research", "--limit", "1", "--json", "--cursor", page.cursor ?? "");
    expect([...page.jobs, ...List.parse(JSON.parse(next.out)).jobs].map(({ id }) => id).sort()).toEqual(["failing", "hello"]);
  });

  it("fleet packs a folder, follows its job to the end, and fetches the artifacts", async () => {
    const work = await mkdtemp(join(folder, "work-"));
    await writeFile(join(work, "train.sh"), 'echo "begins in $MODE"; sleep 2; echo done > model.txt; echo "ends"\n');
    await writeFile(join(work, ".fleetignore"), "*.bin\n");
    await writeFile(join(work, "data.bin"), "not for the node");
    const options = ["--workdir", work, "--team", "research", "--id", "own-script", "--env", "MODE=test", "--artifact", "model.txt"];
    const submitted = await fleet("submit", ...options, "--max-runtime", "1m", "--", "sh", "-c", "ls; sh train.sh");
    expect(submitted, submitted.err).toMatchObject({ code: 0, out: "own-script\n" });
    expect(submitted.err).toMatch(/: 2 files, \d+ bytes, \d+ bytes packed/);
    const followed = await fleet("logs", "own-script", "-f", "--team", "research");
    expect(followed, followed.err).toMatchObject({ code: 0, out: "train.sh\nbegins in test\nends\n" });
    const fetched = await fleet("artifacts", "get", "own-script", inFolder("own"), "--team", "research");
    expect(fetched.code, fetched.err).toBe(0);
    expect(await readFile(inFolder("own/model.txt"), "utf8")).toBe("done\n");
  });

  it("a running job moves to another node if EC2 takes its node back, and can be cancelled there", async () => {
    const spec = { id: "moved", command: ["sleep", "300"], maxRuntimeSeconds: 400 };
    await fleetIn(["submit", "-", "--team", "vision"], { home: home.path, input: JSON.stringify(spec) });
    const running = async (attempts: number): Promise<string> => {
      let node: string | null = null;
      await vi.waitFor(
        async () => {
          const job = RunningJson.parse(JSON.parse((await fleet("job", "moved", "--team", "vision", "--json")).out));
          expect(job).toMatchObject({ state: "running", attempts });
          node = job.node;
        },
        { timeout: 40_000, interval: 1500 },
      );
      return node ?? "";
    };
    const node = await running(1);
    const shown = await fleet("node", node, "--json");
    expect(JSON.parse(shown.out), shown.err).toMatchObject({
      node,
      pool: "gpu",
      team: "vision",
      assignments: [{ job: "moved", phase: "running" }],
    });
    const interrupted = await fleet("interrupt", node);
    expect(interrupted.code, interrupted.err).toBe(0);
    const next = await running(2);
    expect(next).not.toBe(node);

    const cancelled = await fleet("cancel", "moved", "--team", "vision", "--reason", "enough seen", "--wait");
    expect(cancelled.code, cancelled.err).toBe(0);
    const job = await fleet("job", "moved", "--team", "vision");
    expect(job.out).toMatch(/^state +cancelled$/m);
    expect(job.out).toMatch(/enough seen/);
    const again = await fleet("cancel", "hello", "--team", "research");
    expect(again).toMatchObject({ code: 1 });
    expect(again.err).toMatch(/succeeded/);
    const causes = await fleet("decisions", "--pool", "gpu", "--limit", "50", "--json");
    for (const cause of [`interruption ${node}`, "cancel"]) expect(causes.out).toContain(cause);
  });

  it("fleet shows nodes, pools and decisions, and what one decision did", async () => {
    const [pools, pool, nodes, decisions] = await Promise.all([
      fleet("pools"),
      fleet("pool", "gpu", "--json"),
      fleet("nodes"),
      fleet("decisions", "--json", "--limit", "5"),
    ]);
    expect(pools.out).toMatch(/^gpu /m);
    expect(JSON.parse(pool.out)).toMatchObject({ pool: "gpu", limits: { gpus: 16 }, budgets: { usdPerDay: 1000 } });
    expect(nodes.code, nodes.err).toBe(0);
    const Listed = z.object({ decisions: z.array(z.object({ decision: z.string(), pool: z.string() })).min(1) });
    const [newest] = Listed.parse(JSON.parse(decisions.out)).decisions;
    const decision = await fleet("decision", newest?.decision ?? "", "--pool", newest?.pool ?? "");
    expect(decision.code, decision.err).toBe(0);
    expect(decision.out).toMatch(/pool +gpu/);
    const forgotten = await fleet("pool", "reset-stats", "gpu");
    expect(forgotten, forgotten.err).toMatchObject({ code: 0, out: expect.stringContaining("deleted the statistics of pool gpu") });
  });

  it("fleet dataset adds, shows and removes a dataset, and says why a source is refused", async () => {
    const refused = await fleet("dataset", "add", "words", "s3://somebody-elses/words/", "--team", "research");
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toMatch(/jobs may not read the bucket somebody-elses/);
    const none = await fleet("datasets", "--team", "research");
    expect(none.out).toMatch(/no datasets; add one with: fleet dataset upload NAME FOLDER/);

    const data = await mkdtemp(join(folder, "data-"));
    for (const name of ["one", "two"]) await writeFile(join(data, name), name);
    const uploaded = await fleet("dataset", "upload", "words", data, "--team", "research");
    expect(uploaded.code, uploaded.err).toBe(0);
    await vi.waitFor(
      async () => {
        const shown = await fleet("dataset", "show", "words", "--team", "research", "--json");
        expect(JSON.parse(shown.out)).toMatchObject({ state: "ready", listing: { shards: 2, bytes: 6 } });
      },
      { timeout: 15_000, interval: 300 },
    );
    expect(await fleet("dataset", "rm", "words", "--team", "research")).toMatchObject({ code: 0 });
  });

  it("fleet works with only a team's role, as on AWS: it uploads code and a dataset, and runs a job that reads both", async () => {
    const sts = stsClient(localSettings(`http://127.0.0.1:${port}`));
    const RoleArn = `arn:aws:iam::000000000000:role/${teamRole({ name: "fleetwright", region: "us-east-1" }, "research")}`;
    const { Credentials: given } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "somebody" }));
    const environment = {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: given?.AccessKeyId ?? "",
      AWS_SECRET_ACCESS_KEY: given?.SecretAccessKey ?? "",
      AWS_SESSION_TOKEN: given?.SessionToken ?? "",
    };
    const asTeam = (...args: string[]): Promise<Ended> => fleetIn(["--aws", ...args], { home: home.path, environment });

    const data = await mkdtemp(join(folder, "team-data-"));
    for (const name of ["kept", "old"]) await writeFile(join(data, name), name);
    expect(await asTeam("dataset", "upload", "letters", data)).toMatchObject({
      code: 0,
      err: expect.stringContaining("uploaded 2 (7 bytes)"),
    });
    await rm(join(data, "old"));
    await writeFile(join(data, "new"), "new");
    const synced = await asTeam("dataset", "upload", "letters", data, "--delete");
    expect(synced).toMatchObject({ code: 0, err: expect.stringContaining("uploaded 1 (3 bytes), unchanged 1, removed 1") });

    const work = await mkdtemp(join(folder, "team-work-"));
    await writeFile(join(work, "run.sh"), 'cat "$FLEETWRIGHT_DATA"/letters/* | tee result.txt');
    const job = ["--workdir", work, "--id", "by-role", "--dataset", "letters", "--artifact", "result.txt", "--wait"];
    const submitted = await asTeam("submit", ...job, "--", "sh", "run.sh");
    expect(submitted.code, submitted.err).toBe(0);

    expect((await asTeam("logs", "by-role")).out).toMatch(/new|kept/);
    expect((await asTeam("jobs")).out).toContain("by-role");
    const fetched = join(folder, "fetched-by-role");
    const got = await asTeam("artifacts", "get", "by-role", fetched);
    expect(got.code, got.err).toBe(0);
    expect((await readFile(join(fetched, "result.txt"), "utf8")).split("").sort()).toEqual([..."newkept"].sort());
    // What belongs to another team is refused, and the refusal says so.
    const others = await asTeam("jobs", "--team", "vision");
    expect([others.code, others.out]).toEqual([expect.any(Number), ""]);
    expect(others.code).not.toBe(0);
  });

  it.each([
    ["a field that does not exist", ["submit", "unknown-field.json", "--team", "research"], 2, /not a job:\n.*"gpu"/],
    ["a file that does not exist", ["submit", "hello.json", "nowhere.json", "--team", "research"], 2, /there is no file .*nowhere\.json/],
    ["an id in use", ["submit", "other-hello.json", "--team", "research"], 2, /id hello already names another job.*choose a new id/],
    ["a job that does not exist", ["job", "nobody", "--team", "research"], 1, /no job nobody.*fleet jobs --team research/],
    [
      "artifacts of a failed job",
      ["artifacts", "get", "failing", "nowhere", "--team", "research"],
      1,
      /failing.*it named no files to keep/,
    ],
    ["a team that does not exist", ["jobs", "--team", "sales"], 2, /no team sales; there are: research, vision/],
    ["no team", ["jobs"], 2, /choose a team: --team research \| --team vision/],
    ["a deployment that does not exist", ["--name", "other", "jobs", "--team", "vision"], 1, /no deployment named other; omit --name/],
  ])("fleet reports what is wrong with %s", { concurrent: true }, async (_what, args, code, message) => {
    const ended = await fleet(...args.map((arg) => (/\.json$|^nowhere$/.test(arg) ? inFolder(arg) : arg)));
    expect(ended).toMatchObject({ code, out: "" });
    expect(ended.err).toMatch(message);
  });
});

describe("fleet without a cloud", () => {
  it.each([
    ["no region", {}],
    ["a region, but no credentials", { AWS_REGION: "us-east-1" }],
  ])("fleet without a cloud says soon what the user can do: %s", async (_what, environment) => {
    const ended = await fleetIn(["submit", inFolder("hello.json"), "--team", "research"], { home: folder, environment });
    expect(ended).toMatchObject({ code: 1, out: "" });
    expect(ended.err).toMatch(/on this machine: .*fleet local\n.*on AWS: .*AWS_PROFILE/);
    expect(ended.tookMs).toBeLessThan(10_000);
  });
});
