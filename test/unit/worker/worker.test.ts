import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { JobSpec } from "../../../lib/model/job.ts";
import { craftArchive } from "./archives.ts";
import { orders } from "./http-fakes.ts";
import { standInDocker } from "./stand-in.ts";
import type { WorkerProcess } from "./worker-process.ts";
import { isOver, node, until, WorkerWorld, WorldJob } from "./worker-world.ts";

vi.setConfig({ testTimeout: 30_000 });

/** One worker runs the jobs of all tests here one after the other, as on a node. A stand-in replaces the Docker engine. */
let world: WorkerWorld;
let worker: WorkerProcess;
beforeAll(async () => {
  world = await WorkerWorld.open();
  const PATH = await standInDocker(world.folder, join(world.folder, "docker"));
  worker = world.begin({ PATH, AWS_ACCESS_KEY_ID: "AKIAWORKER", AWS_SECRET_ACCESS_KEY: "worker-secret" });
});
afterAll(() => world.close());

let job: WorldJob;
let jobs = 0;
beforeEach(() => {
  job = new WorldJob(world, `train-${++jobs}`);
});
afterEach(() => world.clear());

/** The phases of a job that ends successfully, without `running`, because a short job may end before the first report. */
const wellEnded = ["exited", "uploaded", undefined];
const ends = () => job.phases().filter((phase) => phase !== "running");

describe("a worker", () => {
  test("a worker runs a job, frees the node, uploads what the job left, and forgets it", async () => {
    const { aws } = world;
    aws.objects.set(
      "code/vision/train.tar.gz",
      craftArchive([{ path: "train.js", body: "require('fs').writeFileSync('model.bin', process.env.SEED); console.log('trained')" }]),
    );
    // The job must run long enough to be reported as running.
    world.reply = job.goesToItsEnd({
      command: ["sh", "-c", `sleep 1; exec ${process.execPath} train.js`],
      code: { s3: "s3://code/vision/train.tar.gz" },
      env: { SEED: "42" },
      artifacts: ["model.bin"],
    });
    await expect.poll(() => job.phases(), until).toEqual(["running", ...wellEnded]);
    expect(job.kept().get("files/model.bin")?.toString()).toBe("42");
    expect(aws.headers.get(`incoming/vision/${job.ref.job}/1/files/model.bin`)).toMatchObject({
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "alias/team-vision",
    });
    expect([...job.kept().keys()].at(-1)).toBe("manifest.json");
    expect(job.manifest()).toMatchObject({
      artifacts: [{ path: "model.bin", bytes: 2, sha256: "73475cb40a568e8da8a045ced110137e159f890ac4da883b6b17dc651b3a8049" }],
    });
    await expect.poll(() => job.lines(), until).toEqual(["trained"]);
    expect(gunzipSync(job.kept().get("log/0/000000.gz") ?? "").toString()).toBe("trained\n");
    await expect.poll(() => readdir(join(world.folder, "attempts", "vision", job.ref.job)), until).toEqual([]);
    expect(world.server.headers[0]).toMatchObject({ authorization: expect.stringContaining("AKIAINSTANCE") });
    expect(worker.log.join()).not.toMatch(/secret|token/i);
  });

  test("a worker fetches the lists of a job's data before anything that may take long, because they are soon removed", async () => {
    const list = { format: 1, team: "vision", dataset: "mnist", source: { bucket: "data", prefix: "" }, listing: 1, shards: [] };
    world.aws.objects.set("data/list", gzipSync(JSON.stringify(list)));
    world.aws.objects.set("code/train.tar.gz", craftArchive([{ path: "train.js", body: "" }]));
    world.aws.requested.length = 0;
    const datasets = [{ name: "mnist", version: 1, list: { bucket: "data", key: "list" } }];
    world.reply = job.begins({ command: ["true"], code: { s3: "s3://code/train.tar.gz" } }, { datasets });
    await expect.poll(() => job.phases(), until).toContain("exited");
    expect(world.aws.requested).toEqual(["data/list", "code/train.tar.gz"]);
  });

  test("a worker gives a job none of its own variables, and GPUs by index", async () => {
    const command = node("console.log(JSON.stringify(process.env))");
    world.reply = job.goesToItsEnd({ command, gpus: { count: 2, memoryGiB: 0, models: [] } });
    await expect.poll(() => job.lines().length, until).toBe(1);
    const env = JSON.parse(job.lines()[0] ?? "");
    expect(Object.keys(env).filter((name) => name.startsWith("AWS_"))).toEqual([]);
    expect(env).toMatchObject({
      CUDA_VISIBLE_DEVICES: "0,1",
      HOME: join(world.folder, "attempts/vision", job.ref.job, "1/work"),
    });
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
    ["that fails", { command: ["sh", "-c", "echo out of data >&2; exit 3"] }, { phase: "exited", exitCode: 3, reason: "out of data" }],
    [
      "that runs too long",
      { command: ["sleep", "600"], maxRuntimeSeconds: 1 },
      { phase: "exited", exitCode: 124, reason: "ran longer than 1 s" },
    ],
  ])("a worker reports the end of a job %s", async (_name, spec, report) => {
    world.aws.objects.set("code/evil.tar.gz", craftArchive([{ path: "../evil", body: "x" }]));
    world.reply = job.begins(spec);
    await expect.poll(() => job.last(), until).toMatchObject({ ...job.ref, ...report });
  });

  test("a worker uploads the artifacts of a successful job, and lists what is missing and what cannot be kept", async () => {
    const script = "echo w > model.pt; echo x > 'a\\b'; mkfifo pipe; ln -s /etc out";
    world.reply = job.goesToItsEnd({ command: ["sh", "-c", script], artifacts: ["*", "ckpt/*.pt"] });
    await expect.poll(ends, until).toEqual(wellEnded);
    expect(job.manifest()).toMatchObject({
      artifacts: [{ path: "a%5Cb", escaped: true }, { path: "model.pt" }],
      leftOut: [{ path: "out", because: "it is a link to a path outside the working directory" }, { path: "pipe" }],
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
  ])("a worker uploads what a job that %s left, and then reports its end again", async (_name, spec, end) => {
    world.reply = job.goesToItsEnd({ ...spec, artifacts: ["ckpt.pt"] });
    await expect.poll(() => job.phases().at(-1) === undefined && job.kept().size, until).toBe(2);
    expect(job.manifest().artifacts).toMatchObject([{ path: "ckpt.pt", bytes: 2 }]);
    const ends = job.reports().filter(({ phase }) => phase !== "running");
    expect(ends[0]).toMatchObject({ ...end, uploads: true });
    expect(ends.at(-1)).toMatchObject({ ...end, uploads: false });
  });

  test("a worker retries an upload that was refused", async () => {
    world.aws.refuseUploads = 2;
    world.reply = job.goesToItsEnd({ command: ["true"] });
    await expect.poll(ends, until).toEqual(wellEnded);
    expect(world.aws.refuseUploads).toBe(0);
  });

  test("a job runs once even if responses to the worker are lost", async () => {
    // Every second response is lost, so orders are repeated.
    world.reply = (call, number) => {
      if (number % 2 === 1) return "lost";
      const report = job.reportIn(call);
      const isKept = job.kept().has("manifest.json");
      const done = report !== undefined && isOver(report) ? [job.ref] : [];
      return orders({ orders: isKept ? [] : [job.order({ command: ["echo", "once"] })], done });
    };
    await expect.poll(() => job.phases().at(-1) === undefined && job.kept().size > 0, until).toBe(true);
    await expect.poll(() => job.lines(), until).toEqual(["once"]);
  });

  test("a worker stops a job on order, with a grace period", async () => {
    const stop = { kind: "stop", ...job.ref, because: "cancelled" } as const;
    const script =
      "process.on('SIGTERM', () => { console.log('saving'); process.exit(0) }); setInterval(() => {}, 1000); console.log('ready')";
    const begins = job.begins({ command: node(script) });
    world.reply = (call, number) => (job.lines().includes("ready") ? orders({ orders: [stop] }) : begins(call, number));
    await expect.poll(() => job.last(), until).toEqual({ ...job.ref, phase: "stopped", reason: "cancelled", uploads: true });
    await expect.poll(() => job.lines(), until).toEqual(["ready", "saving"]);
  });
});

describe("a worker with containers", () => {
  const inContainer = (script: string, over: Partial<JobSpec> = {}) => ({ image: "busybox", command: ["sh", "-c", script], ...over });

  test("a worker runs a container like any job", async () => {
    world.reply = job.goesToItsEnd(inContainer("printf 42 >model.bin; echo trained", { artifacts: ["model.bin"] }));
    await expect.poll(ends, until).toEqual(wellEnded);
    expect(job.kept().get("files/model.bin")?.toString()).toBe("42");
    await expect.poll(() => job.lines(), until).toContain("trained");
  });

  test("a worker ends a container that runs too long", async () => {
    world.reply = job.goesToItsEnd(inContainer("exec sleep 600", { maxRuntimeSeconds: 1 }));
    await expect
      .poll(() => job.reports(), until)
      .toContainEqual({
        ...job.ref,
        phase: "exited",
        startedAtMs: expect.any(Number),
        exitCode: 124,
        reason: "ran longer than 1 s",
        uploads: true,
      });
  });
});
