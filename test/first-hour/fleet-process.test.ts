import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type FakeCloud, startFakeCloud } from "../unit/cli/fake-cloud.ts";

/** Tests of the whole command that need a process. test/unit/cli/program.test.ts tests the rest within its own process. */
let cloud: FakeCloud;
beforeAll(async () => {
  cloud = await startFakeCloud();
  await writeFile(join(cloud.home, "train.py"), "print(1)");
});
afterAll(() => cloud.close());

const start = (...args: string[]) => startWith({}, ...args);

function startWith(environment: Readonly<Record<string, string>>, ...args: string[]) {
  const { home } = cloud;
  const child = spawn(process.execPath, [join(import.meta.dirname, "../../lib/cli/fleet.ts"), ...args], {
    env: { PATH: process.env["PATH"], HOME: home, FLEETWRIGHT_HOME: home, FLEETWRIGHT_COMMAND: "fleet", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.err += text;
  });
  const ended = new Promise<typeof output & { code: number | null }>((resolve) =>
    child.once("close", (code) => resolve({ code, ...output })),
  );
  return { child, output, ended };
}
const fleet = (...args: string[]) => start(...args).ended;

describe("fleet, as a process", () => {
  it("fleet packs and uploads a folder once, and submits the command with its own options", async () => {
    const args = [
      "submit",
      "--workdir",
      cloud.home,
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
    expect([...cloud.uploads.values()]).toEqual([1]);
    const [path = ""] = cloud.uploads.keys();
    const [, sha256 = ""] = /^\/code\/research\/([0-9a-f]{64})\.tar\.gz$/.exec(path) ?? [];
    expect(JSON.parse(cloud.messages[0] ?? "")).toEqual({
      command: ["python", "train.py", "--env", "own"],
      code: { s3: `s3:/${path}`, sha256 },
      gpus: 2,
      env: { A: "b" },
    });
    expect(cloud.messages[1]).toBe(cloud.messages[0]);
  });

  it("fleet calls the API with the credentials of its environment, and prints no colours into a pipe", async () => {
    const before = cloud.api.authorizations.length;
    const ended = await fleet("jobs", "--team", "research");
    expect(ended.code, ended.err).toBe(0);
    expect(ended.out).toMatch(/^ID +STATE .*\ntrain-7 +running /);
    expect(ended.out).not.toContain("\u001b");
    expect(cloud.api.authorizations.slice(before).at(-1)).toMatch(/Credential=local\/\d{8}\/us-east-1\/lambda\/aws4_request/);
  });

  it("fleet prints once where it writes on AWS, with account, region and name", async () => {
    const keys = { AWS_ACCESS_KEY_ID: "some", AWS_SECRET_ACCESS_KEY: "keys", AWS_REGION: "eu-west-1", AWS_ENDPOINT_URL: cloud.api.url };
    const before = cloud.api.authorizations.length;
    const { code, err } = await startWith(keys, "submit", "--team", "research", "--aws", "--", "true").ended;
    expect(code, err).toBe(0);
    expect(err).toMatch(/^AWS account 123456789012, region eu-west-1, deployment fleetwright\nsubmitted .*: fleet --aws logs message-\d+ /);
    expect(err.match(/AWS account/g)).toHaveLength(1);
    expect(cloud.api.authorizations.slice(before).at(-1)).toMatch(/Credential=some\/\d{8}\/eu-west-1\/sqs\/aws4_request/);
  });

  it("fleet prints help and hints with the command that the user typed", async () => {
    const root = join(import.meta.dirname, "../..");
    const npm = { FLEETWRIGHT_COMMAND: "", npm_lifecycle_event: "fleet", npm_package_json: join(root, "package.json"), INIT_CWD: root };
    const help = await startWith(npm, "submit", "--help").ended;
    expect(help.code).toBe(0);
    expect(help.out).toMatch(/^Usage: npm run -s fleet -- submit /);
    expect(help.out).not.toMatch(/(?<!-s )fleet (submit|jobs|dataset)/);
    const none = await startWith(npm, "job", "nobody", "--team", "research", "--name", "fleetwright").ended;
    expect(none.err).toContain("list them with: npm run -s fleet -- --name fleetwright jobs --team research;");
    expect(none.err).toContain("with: npm run -s fleet -- --name fleetwright problems\n");
  });

  it("fleet plans the example tables that ship, and exits", async () => {
    const table = (name: string) => join(import.meta.dirname, "../../events/planning", `${name}.csv`);
    const files = ["--jobs", table("jobs"), "--offers", table("offers"), "--nodes", table("nodes")];
    const { code, out, err } = await fleet("plan", ...files, "--budget", "200", "--json");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(JSON.parse(out)).toMatchObject({ bindings: expect.any(Array), launches: expect.any(Array), holds: [], gap: expect.any(Number) });
  });

  it("fleet exits with 130 if it is interrupted", async () => {
    const following = start("logs", "train-7", "-f", "--team", "research");
    await vi.waitFor(() => expect(following.output.err).toContain("train-7 is running"), { timeout: 20_000 });
    following.child.kill("SIGINT");
    expect((await following.ended).code).toBe(130);
  });

  it("fleet exits without an error if the reader of its output has gone", async () => {
    const unread = start("--help");
    unread.child.stdout.destroy();
    expect(await unread.ended).toEqual({ code: 0, out: "", err: "" });
  });

  it.each([
    ["failed", ["job", "nobody", "--team", "research"], 1, /no job nobody .*fleet jobs --team research/],
    ["was used wrongly", ["jbos"], 2, /unknown command 'jbos'\n\(Did you mean jobs\?\)\n\(see fleet --help\)/],
  ])("fleet says on stderr, and by its exit code, that it %s", async (_what, args, code, message) => {
    const ended = await fleet(...args);
    expect(ended).toMatchObject({ code, out: "" });
    expect(ended.err).toMatch(message);
  });
});
