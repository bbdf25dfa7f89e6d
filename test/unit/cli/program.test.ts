import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { announce } from "../../../lib/local/announcement.ts";
import { aLogPage } from "./api-samples.ts";
import { startFakeApi } from "./fake-api.ts";
import { type FakeCloud, fakeTeam, startFakeCloud } from "./fake-cloud.ts";
import { atHome, fleet } from "./fleet-program.ts";

/** Tests of the whole program within this process. test/first-hour/fleet-process.test.ts starts it as a process. */
let cloud: FakeCloud;
beforeAll(async () => {
  cloud = await startFakeCloud();
});
afterAll(() => cloud.close());

beforeEach(() => atHome(cloud.home));
afterEach(() => vi.unstubAllEnvs());

describe("the fleet program", () => {
  it("fleet submit takes the words after -- as the command, and needs no folder", async () => {
    const ended = await fleet("submit", "--team", "research", "--gpus", "2", "--", "nvidia-smi", "--list-gpus");
    expect(ended.code, ended.err).toBe(0);
    expect(JSON.parse(cloud.messages.at(-1) ?? "")).toEqual({ command: ["nvidia-smi", "--list-gpus"], gpus: 2 });
  });

  describe("where a command goes", () => {
    const withKeys = () => {
      vi.stubEnv("AWS_ACCESS_KEY_ID", "some");
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", "keys");
      vi.stubEnv("AWS_REGION", "eu-west-1");
      vi.stubEnv("AWS_ENDPOINT_URL", cloud.api.url);
    };
    const onAws = (...args: string[]) => {
      withKeys();
      return fleet(...args, "--aws");
    };
    let file: string;
    beforeAll(async () => {
      file = join(cloud.home, "job.json");
      await writeFile(file, '{"command":["true"]}');
    });

    it("a command that writes to the local cloud prints its address once", async () => {
      const { code, err } = await fleet("submit", file, file, "--team", "research");
      expect(code, err).toBe(0);
      expect(err.match(/local cloud at/g)).toHaveLength(1);
      expect(err).toContain(`local cloud at ${cloud.api.url}\n`);
    });

    it("a command that writes to AWS prints account, region and name once; a command that reads does not look them up", async () => {
      const { code, err } = await onAws("submit", file, file, "--team", "research");
      expect(code, err).toBe(0);
      expect(err.match(/AWS account/g)).toHaveLength(1);
      expect(err).toContain("AWS account 123456789012, region eu-west-1, deployment fleetwright\n");
      expect((await onAws("jobs", "--team", "research")).err).toBe("");
    });

    it("a command that writes to AWS continues if STS does not return the account", async () => {
      const { account } = cloud;
      cloud.account = undefined;
      const { code, err } = await onAws("submit", file, "--team", "research");
      cloud.account = account;
      expect(code, err).toBe(0);
      expect(err).toMatch(/AWS account unknown \(STS did not return it: .+\), region eu-west-1, deployment fleetwright\n/);
    });

    it("a command that follows a job reports that the local cloud has ended", async () => {
      const home = await mkdtemp(join(tmpdir(), "fleetwright-ends-"));
      vi.stubEnv("FLEETWRIGHT_HOME", home);
      const own = await startFakeApi({ [`GET ${fakeTeam}/jobs/slow/logs`]: { body: aLogPage({ state: "running" }) } });
      const announced = await announce(home, { endpoint: cloud.api.url });
      const { apiUrl } = cloud;
      cloud.apiUrl = `${own.url}/`;
      const follower = fleet("logs", "slow", "-f", "--team", "research");
      await vi.waitFor(() => expect(own.calls.length).toBeGreaterThan(0), { timeout: 20_000 });
      cloud.apiUrl = apiUrl;
      await announced.close();
      await own.close();
      const { code, err } = await follower;
      expect(code).toBe(1);
      expect(err).toMatch(/the local cloud at http:\S+ ended while this command ran, and its jobs, .* are gone\n$/);
      await rm(home, { recursive: true });
    });

    it("a command fails after the local cloud has ended, even with credentials for AWS", async () => {
      const home = await mkdtemp(join(tmpdir(), "fleetwright-ended-"));
      await (await announce(home, { endpoint: cloud.api.url })).close();
      const before = cloud.messages.length;
      withKeys();
      vi.stubEnv("FLEETWRIGHT_HOME", home);
      const ended = await fleet("submit", file, "--team", "research");
      expect(ended).toMatchObject({ code: 1, out: "" });
      expect(ended.err).toMatch(/no local cloud is running: the one at .* did not use AWS instead\n.*fleet local\n.*fleet use aws\n$/);
      expect((await fleet("--local", "jobs")).code).toBe(1);
      expect(cloud.messages.length).toBe(before);
      await rm(home, { recursive: true });
    });

    it("a command refuses --local together with --aws", async () => {
      expect(await fleet("jobs", "--local", "--aws")).toMatchObject({ code: 2, err: expect.stringMatching(/--local.*--aws/) });
    });
  });

  it("fleet logs -f follows a job to its end", async () => {
    expect(await fleet("logs", "done", "-f", "--team", "research")).toMatchObject({ code: 0, out: "hello\n" });
  });

  it("fleet capacity plans a fleet for a demand, without a deployment", async () => {
    const { code, out, err } = await fleet("capacity", "--compute", "1000000", "--json");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(JSON.parse(out)).toMatchObject({ kind: "planned", plan: { total: 111_000_000 } });
  });

  it.each([
    ["a job that does not exist", ["job", "nobody", "--team", "research"], 1, /no job nobody .*fleet jobs --team research/],
    ["a job that the caller may not see", ["job", "hidden", "--team", "research"], 1, /You may not speak for research\./],
    ["an API that is down", ["--name", "deaf", "jobs", "--team", "research"], 1, /the API at 127\.0\.0\.1:9 does not respond/],
    ["an API that is down, with --name after the command", ["pools", "--name", "deaf"], 1, /the API at 127\.0\.0\.1:9 does not respond/],
    ["an invalid pattern", ["jobs", "--team", "research", "--name", "a/b"], 2, /--name a\/b: a pattern may contain/],
    ["an unknown team", ["jobs", "--team", "sales"], 2, /no team sales; there are: research, vision/],
    ["no team", ["jobs"], 2, /choose a team: --team research \| --team vision/],
    ["an unknown command", ["jbos"], 2, /unknown command 'jbos'\n\(Did you mean jobs\?\)\n\(see fleet --help\)/],
    ["an unknown option", ["submit", "--gpu", "2"], 2, /unknown option '--gpu'\n\(Did you mean --gpus\?\)/],
    [
      "an option that does not go with job files",
      ["submit", "--gpus", "2", "job.json"],
      2,
      /--gpus: only for a job given on the command line, with -- COMMAND/,
    ],
    ["a folder without a command", ["submit", "--workdir", "."], 2, /say what to run in \./],
    ["a command and a file", ["submit", "job.json", "--", "true"], 2, /job\.json: before -- is a job file/],
    ["no command after --", ["submit", "--gpus", "1", "--"], 2, /say what to run: fleet submit -- python train\.py/],
    [
      "a reserved variable",
      ["submit", "--env", "FLEETWRIGHT_X=1", "--", "true"],
      2,
      /^fleet: --env FLEETWRIGHT_X: begins with FLEETWRIGHT_/m,
    ],
    [
      "an invalid image",
      ["submit", "--image", "Org/X", "--", "true"],
      2,
      /^fleet: --image: "Org\/X" is not the name of a container image/m,
    ],
    ["a cancellation without jobs", ["cancel"], 2, /name the jobs, or select them: --state queued/],
    ["a cancellation by id and by state", ["cancel", "a", "--state", "all"], 2, /with --state, not both/],
    ["nothing to submit", ["submit"], 2, /name job files, .*-- COMMAND, or --workdir DIR -- COMMAND/],
    ["a wrong value", ["submit", "--workdir", ".", "--max-runtime", "soon", "--", "true"], 2, /expected a duration such as 90s/],
    ["a value that no job may have", ["submit", "--workdir", ".", "--gpus", "99", "--", "true"], 2, /^fleet: --gpus: /m],
    ["a price of an unknown resource", ["capacity", "--compute", "1", "--unit-prices", "cpu=1"], 2, /expected prices as compute=100/],
    ["a negative demand", ["capacity", "--compute", "-1"], 2, /expected a number from 0 to 1e12/],
    ["a file that does not exist", ["capacity", "--compute", "1", "--types", "nowhere.csv"], 2, /there is no file nowhere\.csv in /],
    ["a folder for a file", ["capacity", "--compute", "1", "--types", "."], 2, /\. is a folder, and a file is expected/],
    ["a plan without offers", ["plan", "--jobs", "jobs.csv"], 2, /required option '--offers <file>' not specified/],
    ["a table that is a folder", ["plan", "--jobs", ".", "--offers", "."], 2, /\. is a folder, and a file is expected/],
    ["a page that is too long", ["decisions", "--limit", "51"], 2, /expected a whole number from 1 to 50/],
  ])("fleet reports what is wrong with %s", async (_what, args, code, message) => {
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
    ["pool", "reset-stats"],
    ["problems"],
    ["redrive"],
    ["pool", "pause"],
    ["pool", "drain"],
    ["pool", "resume"],
    ["pool", "set"],
    ["pool", "unset"],
    ["node", "cordon"],
    ["node", "uncordon"],
    ["node", "drain"],
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
  ])("the help of fleet %s %s has an example and --json", async (...command) => {
    const { code, out } = await fleet(...command, "--help");
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`Examples?:\\n(.*\\n)*.*fleet ${command.join(" ")}`));
    expect(out).toContain("--json");
  });

  it.each([
    ["fleet pool reset-stats", ["pool", "reset-stats", "gpu", "--json"]],
    ["its old name, fleet forget,", ["forget", "gpu", "--json"]],
  ])("%s deletes a pool's statistics", async (_name, command) => {
    const before = cloud.api.calls.filter(({ method }) => method === "DELETE").length;
    const { code, out, err } = await fleet(...command);
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toEqual({ pool: "gpu", learned: [] });
    expect(cloud.api.calls.filter(({ method }) => method === "DELETE").slice(before)).toMatchObject([
      { path: "/api/v1/pools/gpu/learned" },
    ]);
  });

  it("the help of fleet does not list the old name of a command", async () => {
    expect((await fleet("--help")).out).not.toContain("forget");
  });

  it("the help of fleet groups the commands", async () => {
    const { code, out } = await fleet("--help");
    expect(code).toBe(0);
    for (const group of ["Jobs:", "Data:", "The fleet:", "Planning:", "This machine:"]) expect(out).toContain(`\n${group}\n`);
  });
});
