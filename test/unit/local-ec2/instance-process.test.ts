import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createMachine, type InstanceMachine } from "../../../lib/local/ec2/instances/instance-process.ts";
import type { ProcessTree } from "../../../lib/local/ec2/instances/process-tree.ts";
import { readXml } from "../../../lib/local/ec2/moto/xml-document.ts";
import { createIdentities } from "../../../lib/local/requests/identities.ts";
import { expectLine, type Logged } from "../../fakes/log-lines.ts";
import { instanceFacts } from "./instance-facts.ts";
import { isAlive } from "./is-alive.ts";

const cleanups: (() => unknown)[] = [];
let folder = "";
beforeEach(async () => {
  const parent = await realpath(await mkdtemp(join(tmpdir(), "instance-process-")));
  cleanups.push(() => rm(parent, { recursive: true, force: true }));
  folder = join(parent, "i-1");
});
afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A worker that prints its environment and goes on. */
const goesOn = "console.log(JSON.stringify(process.env)); setInterval(() => {}, 1000);";
/** A worker that crashes the first time, and leaves a process of its own. The second time it ends as if its instance should. */
const crashesOnce = `
  import { spawn } from "node:child_process";
  import { existsSync, writeFileSync } from "node:fs";
  if (existsSync("crashed")) process.exit(0);
  const strayed = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
  writeFileSync("crashed", String(strayed.pid));
  process.exit(3);`;

/** A machine that does other work, too, takes its time. */
const slow = { timeout: 15_000, interval: 5 };

const inUserData = ["export FLEETWRIGHT_POOL='gpu'", "export AWS_REGION='eu-west-1'"];

type Stage = {
  readonly worker?: string;
  readonly node?: (url: string) => unknown;
  readonly userData?: readonly string[];
  readonly profile?: string;
  readonly gpus?: string;
};

/** A machine whose `node` function responds like this. */
async function stage({ worker = goesOn, node, userData = inUserData, profile = "<name>nodes</name>", gpus = "" }: Stage = {}) {
  const server = createServer((request, response) => {
    const url = `http://${request.headers.host}`;
    const order = node?.(url) ?? { kind: "boot", workerUrl: `${url}/worker`, nodeUrl: `${url}/node` };
    response.end(request.url === "/worker" ? worker : JSON.stringify(order));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const script = [`export FLEETWRIGHT_NODE_URL='http://127.0.0.1:${(server.address() as AddressInfo).port}/'`, ...userData].join("\n");
  const lines: Logged[] = [];
  const watched: (ProcessTree | string)[] = [];
  const asked: object[] = [];
  const data = `<iamInstanceProfile>${profile}</iamInstanceProfile><userData>${Buffer.from(script).toString("base64")}</userData>`;
  const documents: Readonly<Record<string, string>> = {
    DescribeLaunchTemplateVersions: `<launchTemplateVersionSet><item><launchTemplateData>${data}</launchTemplateData></item></launchTemplateVersionSet>`,
    DescribeInstanceTypes: `<instanceTypeSet><item><gpuInfo><gpus>${gpus}</gpus></gpuInfo></item></instanceTypeSet>`,
  };
  const machine = createMachine(
    {
      moto: {
        pass: () => Promise.reject(new Error("not passed on")),
        call: async (region, form) => {
          const given = Object.fromEntries(new URLSearchParams(form));
          asked.push({ region, ...given });
          return readXml(`<r>${documents[given["Action"] ?? ""]}</r>`);
        },
      },
      identities: createIdentities(),
      watchdog: { watch: (tree) => void watched.push(tree), forget: (of) => void watched.push(`forget ${of}`), close: () => undefined },
      endpoint: "http://127.0.0.1:9",
      behaviour: { bootTimeoutMs: 300, restartMs: 1 },
      roleOfProfile: (name) => `role-of-${name}`,
      log: (line) => {
        expectLine(line);
        lines.push(line);
      },
    },
    { ...instanceFacts, template: { id: "lt-1", version: "3" } },
    { folder, notices: () => ({}) },
  );
  cleanups.push(() => machine.end(0));
  return { machine, lines, watched, asked };
}

const logged = (): string => (existsSync(join(folder, "worker.log")) ? readFileSync(join(folder, "worker.log"), "utf8") : "");

/** Waits until the worker has printed its environment the nth time. */
async function environment(nth = 1): Promise<Readonly<Record<string, string>>> {
  await expect.poll(() => logged().split("\n").length, slow).toBeGreaterThan(nth);
  return JSON.parse(logged().split("\n")[nth - 1] ?? "");
}
const ended = (run: Promise<string | undefined>): Promise<string> => run.then((because) => because ?? "stays on");
const pidOf = (machine: InstanceMachine): number => machine.pid() ?? 0;

test("a worker runs with the exports of its user data and the addresses of the cloud, and with nothing else of this machine", async () => {
  vi.stubEnv("AWS_PROFILE", "mine");
  const { machine, asked } = await stage();
  expect(machine.pid()).toBeUndefined();
  void machine.run();
  const { PATH, FLEETWRIGHT_NODE_URL, AWS_EC2_METADATA_SERVICE_ENDPOINT, ...rest } = await environment();
  expect(rest).toEqual({
    HOME: process.env["HOME"],
    FLEETWRIGHT_POOL: "gpu",
    AWS_REGION: "eu-west-1",
    AWS_ENDPOINT_URL: "http://127.0.0.1:9",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_CONFIG_FILE: "/dev/null",
    FLEETWRIGHT_FOLDER: folder,
  });
  expect(PATH).toBe(process.env["PATH"]);
  expect([FLEETWRIGHT_NODE_URL, AWS_EC2_METADATA_SERVICE_ENDPOINT].every((url) => url?.startsWith("http://127.0.0.1:"))).toBe(true);
  expect(asked).toEqual([
    { region: "us-east-1", Action: "DescribeLaunchTemplateVersions", LaunchTemplateId: "lt-1", "LaunchTemplateVersion.1": "3" },
    { region: "us-east-1", Action: "DescribeInstanceTypes", "InstanceType.1": "g5.xlarge" },
  ]);
});

test("a worker on a type with GPUs finds nvidia-smi first, and has its instance's region if its user data names none", async () => {
  const gpus = "<item><name>A10G</name><count>1</count><memoryInfo><sizeInMiB>24576</sizeInMiB></memoryInfo></item>";
  const { machine } = await stage({ gpus, userData: ["export FLEETWRIGHT_POOL='gpu'"] });
  void machine.run();
  expect(await environment()).toMatchObject({ PATH: `${join(folder, "bin")}:${process.env["PATH"]}`, AWS_REGION: "us-east-1" });
});

test("the credentials of an instance are its role's, and are renewed in the second half of their life", async () => {
  const startMs = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: startMs });
  const { machine } = await stage({ profile: "<name>nodes</name><arn>arn:nodes</arn>" });
  void machine.run();
  const url = `${(await environment())["AWS_EC2_METADATA_SERVICE_ENDPOINT"]}/latest`;
  const keyAfter = async (hours: number): Promise<string> => {
    vi.setSystemTime(startMs + hours * 3_600_000);
    const asking = { "x-aws-ec2-metadata-token-ttl-seconds": "60" };
    const token = await (await fetch(`${url}/api/token`, { method: "PUT", headers: asking })).text();
    const path = `${url}/meta-data/iam/security-credentials/role-of-arn:nodes`;
    const read = await fetch(path, { headers: { "x-aws-ec2-metadata-token": token } });
    return read.status === 200 ? JSON.parse(await read.text()).AccessKeyId : `${read.status}`;
  };
  const [first, same, second, kept, third] = [
    await keyAfter(0),
    await keyAfter(2.9),
    await keyAfter(3.1),
    await keyAfter(6),
    await keyAfter(6.2),
  ];
  expect(first).not.toBe("404");
  expect([same, kept]).toEqual([first, second]);
  expect(new Set([first, second, third]).size).toBe(3);
});

test("a worker that crashes is restarted without what it left, and its instance ends when it ends by itself", async () => {
  const { machine, lines, watched } = await stage({ worker: crashesOnce });
  expect(await ended(machine.run())).toBe("its worker ended");
  expect(lines).toEqual([{ message: "worker crashed and will be restarted", instance: "i-1", end: "exit code 3" }]);
  expect(isAlive(Number(readFileSync(join(folder, "crashed"), "utf8")))).toBe(false);
  const group = expect.any(Number);
  // The folder is watched alone first, because this process may be killed before the group is known.
  expect(watched).toEqual([
    { folder, group: undefined },
    { folder, group },
    { folder, group: undefined },
    { folder, group },
  ]);
  expect(machine.pid()).toBeUndefined();
});

test("a worker that is killed is restarted, or its instance stays on without one", async () => {
  const { machine, lines } = await stage();
  const run = ended(machine.run());
  await environment();
  const first = pidOf(machine);
  await machine.kill(true);
  await environment(2);
  expect([isAlive(first), pidOf(machine) === first]).toEqual([false, false]);
  await machine.kill(false);
  expect(await run).toBe("stays on");
  expect(machine.pid()).toBeUndefined();
  expect(lines).toEqual([{ message: "worker crashed and will be restarted", instance: "i-1", end: "SIGKILL" }]);
});

test("a worker is stopped while its instance is paused", { skip: process.platform !== "linux" }, async () => {
  const { machine } = await stage();
  void machine.run();
  await environment();
  const state = () => /\) (\w)/.exec(readFileSync(`/proc/${machine.pid()}/stat`, "utf8"))?.[1];
  await machine.pause();
  await expect.poll(state, slow).toBe("T");
  await machine.resume();
  await expect.poll(state, slow).not.toBe("T");
});

test("an instance that ends ends its worker and its metadata, and keeps only its log", async () => {
  const { machine, watched, lines } = await stage();
  const run = ended(machine.run());
  const metadata = (await environment())["AWS_EC2_METADATA_SERVICE_ENDPOINT"];
  const pid = pidOf(machine);
  expect([isAlive(pid), (await fetch(`${metadata}`)).status]).toEqual([true, 401]);
  await machine.end(1_000);
  expect([isAlive(pid), machine.pid(), await run]).toEqual([false, undefined, "stays on"]);
  expect(await readdir(folder)).toEqual(["worker.log"]);
  expect(watched.at(-1)).toBe(`forget ${folder}`);
  await expect(fetch(`${metadata}`)).rejects.toThrow();
  expect(lines).toEqual([]);
});

test("an instance that ends while it boots runs no worker, and says nothing", async () => {
  const { machine, lines } = await stage({ node: () => ({ kind: "wait", callAgainMs: 60_000 }) });
  const run = ended(machine.run());
  await expect.poll(() => existsSync(folder), slow).toBe(true);
  await machine.end(0);
  expect([await run, lines, await readdir(folder)]).toEqual(["stays on", [], []]);
});

test("an instance is turned off if its node function orders it, or if it gets no worker", async () => {
  const ordered = await stage({ node: () => ({ kind: "shutdown", because: "gone" }) });
  expect(await ended(ordered.machine.run())).toBe("the node function ordered the boot script to shut down");
  const silent = await stage({ node: () => ({ kind: "wait", callAgainMs: 100 }) });
  const because = "The boot script could not get its worker in time";
  expect(await ended(silent.machine.run())).toBe(`it could not start its worker: ${because}`);
  expect(silent.lines).toMatchObject([{ message: "worker not started", instance: "i-1", error: { message: because } }]);
});

test("an instance runs nothing if its user data has no pool", async () => {
  const { machine, lines } = await stage({ userData: [] });
  expect(await ended(machine.run())).toBe("stays on");
  expect(lines).toEqual([{ message: "instance runs nothing", instance: "i-1", because: "its user data has no node URL or no pool" }]);
});
