import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { announce } from "../../../lib/local/announcement.ts";
import { aJobSummary, aJobView, aLogPage, aMe, lines } from "./api-samples.ts";
import { type Answer, aDeployment, type Called, type FakeApi, problem, startFakeApi } from "./fake-api.ts";

/** The whole command as its users start it, beside a local cloud of which only the outside is there. */
let api: FakeApi;
let folder: string;
const team = "/v1/teams/research";
const messages: string[] = [];
const uploads = new Map<string, number>();
/** Of the API, in what SSM answers: it lies on the same server, below a path of its own. */
let apiUrl = "";

const Asked = z.object({
  Name: z.string().optional(),
  QueueName: z.string().optional(),
  MessageBody: z.string().optional(),
  Entries: z.array(z.object({ Id: z.string(), MessageBody: z.string() })).optional(),
});

/** The account that STS names; undefined while it refuses. */
let account: string | undefined = "123456789012";

function sts(): Answer {
  if (account === undefined) return { status: 403, body: "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>" };
  const result = `<GetCallerIdentityResult><Account>${account}</Account></GetCallerIdentityResult>`;
  return { body: `<GetCallerIdentityResponse>${result}</GetCallerIdentityResponse>` };
}

function aws({ body }: Called): Answer {
  if (typeof body === "string" && body.includes("Action=GetCallerIdentity")) return sts();
  const { Name, QueueName, MessageBody = "", Entries } = Asked.parse(body);
  const closed = "http://127.0.0.1:9/";
  if (Name !== undefined)
    return { body: { Parameter: { Value: JSON.stringify(aDeployment({ apiUrl: Name.includes("/deaf/") ? closed : apiUrl })) } } };
  if (QueueName !== undefined) return { body: { QueueUrl: `${api.url}/${QueueName}` } };
  if (Entries) return { body: { Successful: Entries.map((entry) => ({ Id: entry.Id, ...sent(entry.MessageBody) })), Failed: [] } };
  return { body: sent(MessageBody) };
}

function sent(body: string): object {
  messages.push(body);
  return { MessageId: `message-${messages.length}`, MD5OfMessageBody: createHash("md5").update(body).digest("hex") };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleetwright-process-"));
  api = await startFakeApi({
    "POST /": aws,
    "HEAD *": ({ path }) => ({ status: uploads.has(path) ? 200 : 404 }),
    "PUT *": ({ path }) => {
      uploads.set(path, (uploads.get(path) ?? 0) + 1);
      return {};
    },
    "GET /api/v1/me": { body: aMe() },
    [`POST /api${team}/jobs/check`]: { body: { items: [{ accepted: true, pool: "gpu" }] } },
    [`GET /api${team}/jobs`]: { body: { items: [aJobSummary()] } },
    [`GET /api${team}/jobs/done`]: { body: aJobView({ job: "done", state: "succeeded" }) },
    [`GET /api${team}/jobs/done/logs`]: [
      { body: aLogPage({ state: "succeeded", lines: lines("hello") }) },
      { body: aLogPage({ state: "succeeded" }) },
    ],
    [`GET /api${team}/jobs/train-7/logs`]: { body: aLogPage({ lines: [] }) },
    [`GET /api${team}/jobs/hidden`]: problem(403, "denied", "You may not speak for research."),
  });
  apiUrl = `${api.url}/api/`;
  await announce(folder, { endpoint: api.url });
  await writeFile(join(folder, "train.py"), "print(1)");
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

const start = (...args: string[]) => startWith({}, ...args);

function startWith(environment: Readonly<Record<string, string>>, ...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../../../lib/cli/fleet.ts"), ...args], {
    env: { PATH: process.env["PATH"], HOME: folder, FLEETWRIGHT_HOME: folder, FLEETWRIGHT_COMMAND: "fleet", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.err += text;
  });
  const ended = new Promise<typeof said & { code: number | null }>((resolve) => child.once("close", (code) => resolve({ code, ...said })));
  return { child, said, ended };
}
const fleet = (...args: string[]) => start(...args).ended;

describe("fleet, as a process", () => {
  it("packs and uploads a folder once, and submits the command with its own options", async () => {
    const args = [
      "submit",
      "--workdir",
      folder,
      "--team",
      "research",
      "--env",
      "A=b",
      "--gpus",
      "2",
      "--",
      "python",
      "train.py",
      "--env",
      "own",
    ];
    const first = await fleet(...args);
    expect(first, first.err).toMatchObject({ code: 0, out: "message-1\n" });
    expect(first.err).toMatch(/: 2 files, .* packed\n/);
    expect((await fleet(...args)).code).toBe(0);
    expect([...uploads.values()]).toEqual([1]);
    const [path = ""] = uploads.keys();
    const [, sha256 = ""] = /^\/code\/research\/([0-9a-f]{64})\.tar\.gz$/.exec(path) ?? [];
    expect(JSON.parse(messages[0] ?? "")).toEqual({
      command: ["python", "train.py", "--env", "own"],
      code: { s3: `s3:/${path}`, sha256 },
      gpus: 2,
      env: { A: "b" },
    });
    expect(messages[1]).toBe(messages[0]);
  });

  it("submits a command without a folder: what follows -- is the command", async () => {
    const ended = await fleet("submit", "--team", "research", "--gpus", "2", "--", "nvidia-smi", "--list-gpus");
    expect(ended.code, ended.err).toBe(0);
    expect(JSON.parse(messages.at(-1) ?? "")).toEqual({ command: ["nvidia-smi", "--list-gpus"], gpus: 2 });
  });

  it("speaks to the API as whoever its credentials belong to, and prints no colours into a pipe", async () => {
    const before = api.authorizations.length;
    const ended = await fleet("jobs", "--team", "research");
    expect(ended.code, ended.err).toBe(0);
    expect(ended.out).toMatch(/^ID +STATE .*\ntrain-7 +running /);
    expect(ended.out).not.toContain("\u001b");
    expect(api.authorizations.slice(before).at(-1)).toMatch(/Credential=local\/\d{8}\/us-east-1\/lambda\/aws4_request/);
  });

  describe("where a command goes", () => {
    const keys = { AWS_ACCESS_KEY_ID: "some", AWS_SECRET_ACCESS_KEY: "keys", AWS_REGION: "eu-west-1" };
    const message = '{"command":["true"]}';
    const onAws = (...args: string[]) => startWith({ ...keys, AWS_ENDPOINT_URL: api.url }, ...args, "--aws").ended;
    let file: string;
    beforeAll(async () => {
      file = join(folder, "job.json");
      await writeFile(file, message);
    });

    it("is said once by one that writes to the local cloud", async () => {
      const { code, err } = await fleet("submit", file, file, "--team", "research");
      expect(code, err).toBe(0);
      expect(err.match(/local cloud at/g)).toHaveLength(1);
      expect(err).toContain(`local cloud at ${api.url}\n`);
    });

    it("is said once by one that writes to AWS, with account, region and name; one that reads does not ask for them", async () => {
      const { code, err } = await onAws("submit", file, file, "--team", "research");
      expect(code, err).toBe(0);
      expect(err.match(/AWS account/g)).toHaveLength(1);
      expect(err).toContain("AWS account 123456789012, region eu-west-1, deployment fleetwright\n");
      expect((await onAws("jobs", "--team", "research")).err).toBe("");
    });

    it("is said as far as it is known if STS does not name the account, and the command goes on", async () => {
      account = undefined;
      const { code, err } = await onAws("submit", file, "--team", "research");
      account = "123456789012";
      expect(code, err).toBe(0);
      expect(err).toMatch(/AWS account unknown \(STS did not name it: .+\), region eu-west-1, deployment fleetwright\n/);
    });

    it("is told to have ended by a local cloud that ends while a command follows a job on it", async () => {
      const home = await mkdtemp(join(tmpdir(), "fleetwright-ends-"));
      const own = await startFakeApi({ [`GET ${team}/jobs/slow/logs`]: { body: aLogPage({ state: "running" }) } });
      const announced = await announce(home, { endpoint: api.url });
      const before = apiUrl;
      apiUrl = `${own.url}/`;
      const follower = startWith({ FLEETWRIGHT_HOME: home }, "logs", "slow", "-f", "--team", "research");
      await vi.waitFor(() => expect(own.calls.length).toBeGreaterThan(0), { timeout: 20_000 });
      apiUrl = before;
      await announced.close();
      await own.close();
      const { code, err } = await follower.ended;
      expect(code).toBe(1);
      expect(err).toMatch(/the local cloud at http:\S+ has ended while this command ran, and its jobs, .* are gone with it\n$/);
      await rm(home, { recursive: true });
    });

    it("is nowhere when the local cloud has ended, even with keys for AWS", async () => {
      const home = await mkdtemp(join(tmpdir(), "fleetwright-ended-"));
      await (await announce(home, { endpoint: api.url })).close();
      const before = messages.length;
      const ended = await startWith({ ...keys, AWS_ENDPOINT_URL: api.url, FLEETWRIGHT_HOME: home }, "submit", file, "--team", "research")
        .ended;
      expect(ended).toMatchObject({ code: 1, out: "" });
      expect(ended.err).toMatch(/no local cloud is running: the one at .* did not go to AWS instead\n.*fleet local\n.*fleet use aws\n$/);
      const sent = await startWith({ ...keys, AWS_ENDPOINT_URL: api.url, FLEETWRIGHT_HOME: home }, "--local", "jobs").ended;
      expect(sent.code).toBe(1);
      expect(messages.length).toBe(before);
      await rm(home, { recursive: true });
    });

    it("is one place: --local and --aws exclude each other", async () => {
      expect(await fleet("jobs", "--local", "--aws")).toMatchObject({ code: 2, err: expect.stringMatching(/--local.*--aws/) });
    });
  });

  it("prints help and hints as its user started it", async () => {
    const root = join(import.meta.dirname, "../../..");
    const npm = { FLEETWRIGHT_COMMAND: "", npm_lifecycle_event: "fleet", npm_package_json: join(root, "package.json"), INIT_CWD: root };
    const help = await startWith(npm, "submit", "--help").ended;
    expect(help.out).toMatch(/^Usage: npm run -s fleet -- submit /);
    expect(help.out).not.toMatch(/(?<!-s )fleet (submit|jobs|dataset)/);
    const none = await startWith(npm, "job", "nobody", "--team", "research", "--name", "fleetwright").ended;
    expect(none.err).toContain("list them with: npm run -s fleet -- --name fleetwright jobs --team research\n");
  });

  it("follows a job to its end", async () => {
    expect(await fleet("logs", "done", "-f", "--team", "research")).toMatchObject({ code: 0, out: "hello\n" });
  });

  it("plans a fleet for a demand, without a deployment", async () => {
    const { code, out, err } = await fleet("capacity", "--compute", "1000000", "--json");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(JSON.parse(out)).toMatchObject({ kind: "planned", plan: { total: 111_000_000 } });
  });

  it("plans the tables that ship", async () => {
    const table = (name: string) => join(import.meta.dirname, "../../../events/planning", `${name}.csv`);
    const files = ["--jobs", table("jobs"), "--offers", table("offers"), "--nodes", table("nodes")];
    const { code, out, err } = await fleet("plan", ...files, "--budget", "200", "--json");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(JSON.parse(out)).toMatchObject({ bindings: expect.any(Array), launches: expect.any(Array), holds: [], gap: expect.any(Number) });
  });

  it("ends with 130 when it is interrupted", async () => {
    const following = start("logs", "train-7", "-f", "--team", "research");
    await vi.waitFor(() => expect(following.said.err).toContain("train-7 is running"), { timeout: 20_000 });
    following.child.kill("SIGINT");
    expect((await following.ended).code).toBe(130);
  });

  it.each([
    ["what is not there", ["job", "nobody", "--team", "research"], 1, /no job nobody .*fleet jobs --team research/],
    ["what may not be", ["job", "hidden", "--team", "research"], 1, /You may not speak for research\./],
    ["an API that is down", ["--name", "deaf", "jobs", "--team", "research"], 1, /the API at 127\.0\.0\.1:9 does not answer/],
    ["an API that is down, named behind the command", ["pools", "--name", "deaf"], 1, /the API at 127\.0\.0\.1:9 does not answer/],
    ["a pattern that is none", ["jobs", "--team", "research", "--name", "a/b"], 2, /--name a\/b: a pattern is made of/],
    ["a team that is not", ["jobs", "--team", "sales"], 2, /no team sales; there are: research, vision/],
    ["no team", ["jobs"], 2, /say for which team: --team research \| --team vision/],
    ["a command that is not", ["jbos"], 2, /unknown command 'jbos'\n\(Did you mean jobs\?\)\n\(fleet --help tells more\)/],
    ["an option that is not", ["submit", "--gpu", "2"], 2, /unknown option '--gpu'\n\(Did you mean --gpus\?\)/],
    ["an option of the other way", ["submit", "--gpus", "2", "job.json"], 2, /--gpus: only for a job told here, with -- COMMAND/],
    ["a folder without a command", ["submit", "--workdir", "."], 2, /say what to run in \./],
    ["a command and a file", ["submit", "job.json", "--", "true"], 2, /job\.json: what stands before -- is a job file/],
    ["no command after --", ["submit", "--gpus", "1", "--"], 2, /say what to run: fleet submit -- python train\.py/],
    [
      "a variable that is ours",
      ["submit", "--env", "FLEETWRIGHT_X=1", "--", "true"],
      2,
      /^fleet: --env FLEETWRIGHT_X: begins with FLEETWRIGHT_/m,
    ],
    [
      "an image that is none",
      ["submit", "--image", "Org/X", "--", "true"],
      2,
      /^fleet: --image: "Org\/X" is not the name of a container image/m,
    ],
    ["jobs to cancel that are not named", ["cancel"], 2, /name the jobs, or say which: --state queued/],
    ["jobs that are named twice over", ["cancel", "a", "--state", "all"], 2, /with --state; not both/],
    ["nothing to submit", ["submit"], 2, /name job files, .*-- COMMAND, or --workdir DIR -- COMMAND/],
    ["a wrong value", ["submit", "--workdir", ".", "--max-runtime", "soon", "--", "true"], 2, /a duration is wanted, such as 90s/],
    ["a value that no job may have", ["submit", "--workdir", ".", "--gpus", "99", "--", "true"], 2, /^fleet: --gpus: /m],
    ["a price of what there is not", ["capacity", "--compute", "1", "--unit-prices", "cpu=1"], 2, /prices are wanted as compute=100/],
    ["less than nothing", ["capacity", "--compute", "-1"], 2, /a number from 0 to 1e12 is wanted/],
    ["a file that is not", ["capacity", "--compute", "1", "--types", "nowhere.csv"], 2, /there is no file nowhere\.csv in /],
    ["a folder for a file", ["capacity", "--compute", "1", "--types", "."], 2, /\. is a folder, and a file is wanted/],
    ["a plan of nothing", ["plan", "--jobs", "jobs.csv"], 2, /required option '--offers <file>' not specified/],
    ["a table that is a folder", ["plan", "--jobs", ".", "--offers", "."], 2, /\. is a folder, and a file is wanted/],
    ["too long a page", ["decisions", "--limit", "51"], 2, /a whole number from 1 to 50 is wanted/],
  ])("says what is wrong with %s", async (_what, args, code, message) => {
    const ended = await fleet(...args);
    expect(ended).toMatchObject({ code, out: "" });
    expect(ended.err).toMatch(message);
  });

  it.each([
    ["submit"],
    ["jobs"],
    ["job"],
    ["logs"],
    ["cancel"],
    ["artifacts", "get"],
    ["nodes"],
    ["node"],
    ["pools"],
    ["pool"],
    ["datasets"],
    ["dataset", "add"],
    ["dataset", "show"],
    ["dataset", "rm"],
    ["decisions"],
    ["decision"],
    ["capacity"],
    ["plan"],
    ["interrupt"],
    ["local"],
    ["demo"],
  ])("%s %s: its help has an example and --json", async (...command) => {
    const { code, out } = await fleet(...command, "--help");
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`Examples?:\\n(.*\\n)*.*fleet ${command.join(" ")}`));
    expect(out).toContain("--json");
  });

  it("its own help groups the commands", async () => {
    const { code, out } = await fleet("--help");
    expect(code).toBe(0);
    for (const group of ["Jobs:", "Data:", "The fleet:", "Planning:", "This machine:"]) expect(out).toContain(`\n${group}\n`);
  });
});
