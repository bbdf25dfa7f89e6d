import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Manifest } from "../../../events/upload.ts";
import type { JobSpec } from "../../../lib/model/job.ts";
import { craftArchive } from "./archives.ts";
import {
  type FakeAws,
  type FakeMetadata,
  fakeAws,
  fakeMetadataService,
  fakeNodeFunction,
  orders,
  type Reply,
  type Report,
  runOrder,
} from "./http-fakes.ts";
import { standIn, standInDocker } from "./stand-in.ts";
import { startWorker, type WorkerProcess } from "./worker-process.ts";

vi.setConfig({ testTimeout: 30_000 });
const until = { timeout: 15_000, interval: 20 };

let folder: string;
let aws: FakeAws;
let metadata: FakeMetadata;
let server: Awaited<ReturnType<typeof fakeNodeFunction>>;
let reply: (call: Report, number: number) => Reply;
let workers: WorkerProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-worker-"));
  reply = () => orders();
  [aws, metadata, server] = await Promise.all([fakeAws(), fakeMetadataService(), fakeNodeFunction((call, number) => reply(call, number))]);
});
afterEach(async () => {
  for (const worker of workers) worker.child.kill("SIGKILL");
  await Promise.all(workers.map((worker) => worker.ended));
  workers = [];
  await Promise.all([aws, metadata, server].map((each) => each.close()));
  await rm(folder, { recursive: true, force: true });
});

function begin(env: Record<string, string> = {}): WorkerProcess {
  const worker = startWorker({
    FLEETWRIGHT_NODE_URL: server.url,
    FLEETWRIGHT_POOL: "gpu",
    FLEETWRIGHT_FOLDER: folder,
    AWS_REGION: "eu-west-1",
    AWS_ENDPOINT_URL: aws.url,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url,
    ...env,
  });
  workers.push(worker);
  return worker;
}

const phases = (): (string | undefined)[] =>
  server.calls.map((call) => call.attempts[0]?.phase).filter((phase, n, all) => phase !== all[n - 1]);
const manifest = () => Manifest.parse(JSON.parse(aws.objects.get("incoming/vision/train-1/1/manifest.json")?.toString() ?? ""));
const last = () => server.calls.at(-1)?.attempts[0];
const node = (script: string, ...args: string[]) => [process.execPath, "-e", script, ...args];
/** Whether nothing follows such a report. */
const isOver = (report: Report["attempts"][number] | undefined): boolean => {
  if (report === undefined || report.phase === "running") return false;
  if (report.phase === "uploaded") return true;
  return report.uploads !== true && !(report.phase === "exited" && report.exitCode === 0);
};
const ref = { team: "vision", job: "train-1", attempt: 1 };

/** Orders this one job until it is over or has exited badly, then forgets it. */
const oneJob =
  (spec: Partial<JobSpec>) =>
  (call: Report): Reply => {
    return orders({ orders: seen(call) ? [] : [runOrder(spec)], done: isOver(call.attempts[0]) ? [ref] : [] });
  };
const seen = (call: Report) => call.attempts.length > 0 || server.calls.some((each) => each.attempts.length > 0);

describe("a worker", () => {
  test("runs a job, frees the node, uploads what it left, and forgets it", async () => {
    aws.objects.set(
      "code/vision/train.tar.gz",
      craftArchive([{ path: "train.js", body: "require('fs').writeFileSync('model.bin', process.env.SEED); console.log('trained')" }]),
    );
    reply = oneJob({
      command: [process.execPath, "train.js"],
      code: { s3: "s3://code/vision/train.tar.gz" },
      env: { SEED: "42" },
      artifacts: ["model.bin"],
    });
    const worker = begin();
    await expect.poll(phases, until).toEqual(["running", "exited", "uploaded", undefined]);
    expect(aws.objects.get("incoming/vision/train-1/1/files/model.bin")?.toString()).toBe("42");
    expect(aws.headers.get("incoming/vision/train-1/1/files/model.bin")).toMatchObject({
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "alias/team-vision",
    });
    expect([...aws.objects.keys()].at(-1)).toBe("incoming/vision/train-1/1/manifest.json");
    expect(Manifest.parse(JSON.parse(aws.objects.get("incoming/vision/train-1/1/manifest.json")?.toString() ?? ""))).toMatchObject({
      artifacts: [{ path: "model.bin", bytes: 2, sha256: "73475cb40a568e8da8a045ced110137e159f890ac4da883b6b17dc651b3a8049" }],
    });
    await expect.poll(() => aws.logLines, until).toEqual(["trained"]);
    expect(gunzipSync(aws.objects.get("incoming/vision/train-1/1/log/0/000000.gz") ?? "").toString()).toBe("trained\n");
    await expect.poll(() => readdir(join(folder, "attempts", "vision", "train-1")), until).toEqual([]);
    expect(server.headers[0]).toMatchObject({ authorization: expect.stringContaining("AKIAINSTANCE") });
    expect(worker.log.join()).not.toMatch(/secret|token/i);
  });

  test("asks for the lists of a job's data before anything that may take long: they are not kept for long", async () => {
    const list = { format: 1, team: "vision", dataset: "mnist", source: { bucket: "data", prefix: "" }, listing: 1, shards: [] };
    aws.objects.set("data/list", gzipSync(JSON.stringify(list)));
    aws.objects.set("code/train.tar.gz", craftArchive([{ path: "train.js", body: "" }]));
    const datasets = [{ name: "mnist", version: 1, list: { bucket: "data", key: "list" } }];
    const order = runOrder({ command: ["true"], code: { s3: "s3://code/train.tar.gz" } }, { datasets });
    reply = (call) => orders({ orders: seen(call) ? [] : [order] });
    begin();
    await expect.poll(phases, until).toContain("exited");
    expect(aws.asked).toEqual(["data/list", "code/train.tar.gz"]);
  });

  test("gives a job nothing of its own, and GPUs by their index", async () => {
    reply = oneJob({ command: node("console.log(JSON.stringify(process.env))"), gpus: { count: 2, memoryGiB: 0, models: [] } });
    begin({ AWS_ACCESS_KEY_ID: "AKIAWORKER", AWS_SECRET_ACCESS_KEY: "worker-secret" });
    await expect.poll(() => aws.logLines.length, until).toBe(1);
    const env = JSON.parse(aws.logLines[0] ?? "");
    expect(Object.keys(env).filter((name) => name.startsWith("AWS_"))).toEqual([]);
    expect(env).toMatchObject({ CUDA_VISIBLE_DEVICES: "0,1", HOME: join(folder, "attempts/vision/train-1/1/work") });
  });

  test.runIf(process.getuid?.() === 0)("runs jobs as their own user, who may write only where it should", async () => {
    await chmod(folder, 0o755);
    aws.objects.set("code/train.tar.gz", craftArchive([{ path: "data/seed", body: "17" }]));
    const script = `
      const fs = require("node:fs");
      const may = (path) => { try { fs.writeFileSync(path, ""); return true } catch { return false } };
      const { HOME, TMPDIR } = process.env;
      console.log(JSON.stringify([process.getuid(), process.getgroups().includes(0), may(HOME + "/data/new"), may(TMPDIR + "/x"), may(HOME + "/../x")]))`;
    reply = oneJob({ command: node(script), code: { s3: "s3://code/train.tar.gz" }, artifacts: ["data"] });
    begin({ FLEETWRIGHT_JOB_USER: "nobody" });
    await expect.poll(phases, until).toEqual(["running", "exited", "uploaded", undefined]);
    await expect
      .poll(() => aws.logLines, until)
      .toEqual([JSON.stringify([Number(spawnSync("id", ["-u", "nobody"]).stdout), false, true, true, false])]);
    expect([...aws.objects.keys()]).toContain("incoming/vision/train-1/1/files/data/new");
  });

  test.each<[string, Partial<JobSpec>, object]>([
    [
      "whose code is missing",
      { command: ["true"], code: { s3: "s3://code/none.tar.gz" } },
      { phase: "failed", again: false, reason: "there is no code archive at s3://code/none.tar.gz" },
    ],
    [
      "whose code climbs out",
      { command: ["true"], code: { s3: "s3://code/evil.tar.gz" } },
      { phase: "failed", again: false, reason: 'the code archive was refused: "../evil" lies outside the working directory' },
    ],
    [
      "whose command is missing",
      { command: ["pyhton", "train.py"] },
      { phase: "exited", exitCode: 127, reason: expect.stringContaining("command not found") },
    ],
    [
      "that fails",
      { command: node("console.error('out of data'); process.exit(3)") },
      { phase: "exited", exitCode: 3, reason: "out of data" },
    ],
    [
      "that runs too long",
      { command: node("setInterval(() => {}, 1000)"), maxRuntimeSeconds: 1 },
      { phase: "exited", exitCode: 124, reason: "ran longer than 1 s" },
    ],
  ])("says how it was with a job %s", async (_name, spec, report) => {
    aws.objects.set("code/evil.tar.gz", craftArchive([{ path: "../evil", body: "x" }]));
    reply = (call) => orders({ orders: call.attempts.length > 0 ? [] : [runOrder(spec)] });
    begin();
    await expect.poll(last, until).toMatchObject({ ...ref, ...report });
  });

  test("uploads what there is of a job that ended well, and lists what was missing and what cannot be kept", async () => {
    const script = "echo w > model.pt; echo x > 'a\\b'; mkfifo pipe; ln -s /etc out";
    reply = oneJob({ command: ["sh", "-c", script], artifacts: ["*", "ckpt/*.pt"] });
    begin();
    await expect.poll(phases, until).toEqual(["running", "exited", "uploaded", undefined]);
    expect(manifest()).toMatchObject({
      artifacts: [{ path: "a%5Cb", escaped: true }, { path: "model.pt" }],
      leftOut: [{ path: "out", because: "it is a link that leads outside the working directory" }, { path: "pipe" }],
      missing: ["ckpt/*.pt"],
    });
  });

  test.each<[string, Partial<JobSpec>, object]>([
    ["failed", { command: ["sh", "-c", "echo 1 > ckpt.pt; exit 3"] }, { phase: "exited", exitCode: 3 }],
    [
      "ran too long",
      { command: ["sh", "-c", "echo 1 > ckpt.pt; exec sleep 60"], maxRuntimeSeconds: 1 },
      { phase: "exited", exitCode: 124 },
    ],
  ])("uploads what a job left that %s, and then tells of its end again", async (_name, spec, end) => {
    reply = oneJob({ ...spec, artifacts: ["ckpt.pt"] });
    begin();
    await expect.poll(() => phases().at(-1) === undefined && aws.objects.size, until).toBe(2);
    expect(manifest().artifacts).toMatchObject([{ path: "ckpt.pt", bytes: 2 }]);
    const ends = server.calls.flatMap(({ attempts }) => attempts).filter(({ phase }) => phase !== "running");
    expect(ends[0]).toMatchObject({ ...end, uploads: true });
    expect(ends.at(-1)).toMatchObject(end);
    expect(ends.at(-1)).not.toHaveProperty("uploads");
  });

  test("tries an upload again, and tells when it is no use", async () => {
    aws.refuseUploads = 2;
    // Long enough to be seen running.
    reply = oneJob({ command: ["sleep", "1"] });
    begin();
    await expect.poll(phases, until).toEqual(["running", "exited", "uploaded", undefined]);
  });

  test("lives with lost answers: a job runs once", async () => {
    // Every other answer is lost on its way; what was ordered is ordered again.
    reply = (call, number) => {
      if (number % 2 === 1) return "lost";
      const over = call.attempts.some(isOver);
      const isKept = aws.objects.has("incoming/vision/train-1/1/manifest.json");
      return orders({ orders: isKept ? [] : [runOrder({ command: node("console.log('once')") })], done: over ? [ref] : [] });
    };
    begin();
    await expect.poll(() => phases().at(-1) === undefined && aws.objects.size > 0, until).toBe(true);
    await expect.poll(() => aws.logLines, until).toEqual(["once"]);
  });

  test("stops a job when told to, with grace", async () => {
    const stop = { kind: "stop", ...ref, because: "cancelled" } as const;
    const script =
      "process.on('SIGTERM', () => { console.log('saving'); process.exit(0) }); setInterval(() => {}, 1000); console.log('ready')";
    reply = (call) => {
      const phase = call.attempts[0]?.phase;
      if (phase === undefined) return orders({ orders: [runOrder({ command: node(script) })] });
      return orders({ orders: aws.logLines.includes("ready") ? [stop] : [] });
    };
    begin();
    await expect.poll(last, until).toEqual({ ...ref, phase: "stopped", reason: "cancelled", uploads: true });
    await expect.poll(() => aws.logLines, until).toEqual(["ready", "saving"]);
  });

  test("lets go of its job before its lease ends, then ends the instance, when nobody answers", async () => {
    const beats = join(folder, "beats");
    const script =
      "const fs = require('fs'); fs.writeFileSync('ckpt.pt', '1'); process.on('SIGTERM', () => {}); setInterval(() => fs.appendFileSync(process.argv[1], Date.now() + '\\n'), 20)";
    const [leaseMs, answeredMs] = [2_400, [] as number[]];
    reply = (call) => {
      if (call.attempts.length > 0 && answeredMs.length > 1) return "lost";
      answeredMs.push(Date.now());
      return orders({ leaseMs, orders: [runOrder({ command: node(script, beats), artifacts: ["ckpt.pt"] })] });
    };
    const shutdown = join(folder, "shut-down");
    const worker = begin({ FLEETWRIGHT_SHUTDOWN: `touch ${shutdown}` });
    expect(await worker.ended).toBe(0);
    const endedMs = Date.now();
    const lastBeatMs = Number((await readFile(beats, "utf8")).trim().split("\n").at(-1));
    const leaseEndMs = (answeredMs.at(-1) ?? 0) + leaseMs;
    expect(lastBeatMs).toBeLessThan(leaseEndMs);
    expect(lastBeatMs).toBeGreaterThan(leaseEndMs - leaseMs / 2);
    expect(endedMs).toBeGreaterThan(leaseEndMs - leaseMs / 4);
    expect(await readdir(folder)).toContain("shut-down");
    // The server is out of reach, but S3 is not.
    expect(manifest().artifacts).toMatchObject([{ path: "ckpt.pt" }]);
  });

  test("ends the instance when told to, and tells when it could not", async () => {
    reply = () => ({ kind: "shutdown", because: "given back" });
    expect(await begin().ended).toBe(0);
    expect(await begin({ FLEETWRIGHT_SHUTDOWN: "exit 7" }).ended).toBe(1);
  });

  test("on SIGTERM stops its jobs, says so, and leaves the instance on", async () => {
    const script = "require('fs').writeFileSync('ckpt.pt', '1'); setInterval(() => {}, 1000); console.log('ready')";
    reply = (call) => orders({ orders: seen(call) ? [] : [runOrder({ command: node(script), artifacts: ["ckpt.pt"] })] });
    const worker = begin({ FLEETWRIGHT_SHUTDOWN: `touch ${join(folder, "shut-down")}` });
    await expect.poll(() => aws.logLines, until).toEqual(["ready"]);
    worker.child.kill("SIGTERM");
    expect(await worker.ended).toBe(0);
    expect(last()).toEqual({ ...ref, phase: "stopped", reason: "the worker was asked to end" });
    expect(manifest().artifacts).toMatchObject([{ path: "ckpt.pt" }]);
    expect(await readdir(folder)).not.toContain("shut-down");
  });

  test("after a crash ends what the last process left running, and tells of it", async () => {
    const script = "setInterval(() => {}, 1000); console.log(process.pid)";
    reply = (call) => orders({ orders: seen(call) ? [] : [runOrder({ command: node(script) })] });
    const first = begin();
    await expect.poll(() => aws.logLines.length, until).toBe(1);
    first.child.kill("SIGKILL");
    await first.ended;
    const pid = aws.logLines[0] ?? "";
    const isAlive = () => /^[^Z]/.test(spawnSync("ps", ["-o", "stat=", "-p", pid]).stdout.toString());
    expect(isAlive()).toBe(true);
    const callsBefore = server.calls.length;
    begin();
    await expect
      .poll(() => server.calls.length > callsBefore && last(), until)
      .toEqual({ ...ref, phase: "stopped", reason: "the worker on this node was restarted" });
    expect(isAlive()).toBe(false);
    expect(new Set(server.calls.map((call) => call.process)).size).toBe(2);
  });
});

/** A search path with a stand-in for the docker client: there is no engine here. */
const dockerPath = () => standInDocker(folder, join(folder, "docker"));

describe("a worker with containers", () => {
  const inContainer = (script: string, over: Partial<JobSpec> = {}) => ({ image: "busybox", command: node(script), ...over });

  test("runs one as it runs any job", async () => {
    reply = oneJob(inContainer("require('fs').writeFileSync('model.bin', '42'); console.log('trained')", { artifacts: ["model.bin"] }));
    begin({ PATH: await dockerPath() });
    await expect.poll(phases, until).toEqual(["running", "exited", "uploaded", undefined]);
    expect(aws.objects.get("incoming/vision/train-1/1/files/model.bin")?.toString()).toBe("42");
    await expect.poll(() => aws.logLines, until).toContain("trained");
  });

  test("ends one that runs too long", async () => {
    reply = oneJob(inContainer("setInterval(() => {}, 1000)", { maxRuntimeSeconds: 1 }));
    begin({ PATH: await dockerPath() });
    await expect
      .poll(() => server.calls.flatMap((call) => call.attempts), until)
      .toContainEqual({
        ...ref,
        phase: "exited",
        startedAtMs: expect.any(Number),
        exitCode: 124,
        reason: "ran longer than 1 s",
        uploads: true,
      });
  });

  test("tells for good that its node has no Docker", async () => {
    reply = (call) => orders({ orders: call.attempts.length > 0 ? [] : [runOrder({ image: "busybox" })] });
    begin({ PATH: join(folder, "bin") });
    await expect
      .poll(last, until)
      .toEqual({ ...ref, phase: "failed", again: false, reason: "this node has no Docker to run the job's image with" });
  });

  test("after a crash removes what the last process left running", async () => {
    const script = "setInterval(() => {}, 1000); console.log(process.pid)";
    reply = (call) => orders({ orders: seen(call) ? [] : [runOrder(inContainer(script))] });
    const PATH = await dockerPath();
    const first = begin({ PATH });
    await expect.poll(() => aws.logLines.find((line) => /^\d+$/.test(line)), until).toBeDefined();
    const pid = aws.logLines.find((line) => /^\d+$/.test(line));
    first.child.kill("SIGKILL");
    await first.ended;
    begin({ PATH });
    await expect.poll(last, until).toEqual({ ...ref, phase: "stopped", reason: "the worker on this node was restarted" });
    expect(await readdir(join(folder, "docker", "containers"))).toEqual([]);
    await expect.poll(() => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "gone"), until).toMatch(/^gone$|\) Z /);
  });
});

test("a worker tells its address and its GPUs, and a notice at once", async () => {
  metadata.documents.set("meta-data/local-ipv4", "10.0.3.4");
  const PATH = await standIn(folder, "nvidia-smi", 'echo "0, Tesla T4, 35, 100, 15360, 27.10, 40, 0, 0x0000000000000004"');
  reply = () => orders({ callAgainMs: server.calls.some((call) => call.gpus && call.address) ? 60_000 : 100 });
  begin({ PATH });
  await expect
    .poll(() => server.calls.at(-1), until)
    .toMatchObject({
      address: "10.0.3.4",
      gpus: [{ index: 0, model: "Tesla T4", utilizationPercent: 35, throttled: ["sw_power_cap"] }],
    });
  const callsBefore = server.calls.length;
  metadata.documents.set("meta-data/spot/instance-action", '{"action": "terminate", "time": "2026-06-01T12:02:00Z"}');
  await expect.poll(() => server.calls.at(-1)?.notice, until).toEqual({ kind: "interruption", atMs: Date.parse("2026-06-01T12:00:00Z") });
  expect(server.calls.length).toBe(callsBefore + 1);
});

test("a worker with an incomplete environment says what is missing", async () => {
  const worker = startWorker({ FLEETWRIGHT_POOL: "gpu" });
  expect(await worker.ended).toBe(1);
  expect(worker.log.join("\n")).toContain("FLEETWRIGHT_NODE_URL");
});
