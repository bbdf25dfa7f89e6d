import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Manifest } from "../../../events/artifacts/upload.ts";
import { craftArchive } from "./archives.ts";
import { orders, someCredentials } from "./http-fakes.ts";
import { openedOutbox, outboxOrder } from "./opened-outbox.ts";
import { standIn, standInDocker } from "./stand-in.ts";
import { startWorker } from "./worker-process.ts";
import { node, until, WorkerWorld, WorldJob } from "./worker-world.ts";

vi.setConfig({ testTimeout: 30_000 });

let world: WorkerWorld;
let job: WorldJob;
beforeEach(async () => {
  world = await WorkerWorld.open();
  job = new WorldJob(world);
});
afterEach(() => world.close());

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A zombie process counts as dead. */
const isAlive = (pid: string): boolean => /^[^Z]/.test(spawnSync("ps", ["-o", "stat=", "-p", pid]).stdout.toString());
const tellsItsPid = ["sh", "-c", "echo $$; exec sleep 600"];

describe("a worker", () => {
  test("a worker that crashes logs the error with its stack and cause, and exits with code 1", async () => {
    const worker = world.begin({ FLEETWRIGHT_JOB_USER: "no-such-user" });
    expect(await worker.ended).toBe(1);
    await expect.poll(() => worker.log, until).toHaveLength(1);
    const { error, ...line } = JSON.parse(worker.log[0] ?? "");
    expect(line).toMatchObject({ level: "error", message: "worker crashed" });
    expect(error).toMatchObject({
      name: "FleetError",
      code: "job-user",
      cause: { name: "Error", message: expect.stringContaining("no-such-user") },
    });
    expect(error.stack).toMatch(/at .*main\.ts:\d+/);
  });

  test.runIf(process.getuid?.() === 0)("a worker runs jobs as their own user, which may write only to its folders", async () => {
    await chmod(world.folder, 0o755);
    world.aws.objects.set("code/train.tar.gz", craftArchive([{ path: "data/seed", body: "17" }]));
    const script = `
      const fs = require("node:fs");
      const may = (path) => { try { fs.writeFileSync(path, ""); return true } catch { return false } };
      const { HOME, TMPDIR } = process.env;
      console.log(JSON.stringify([process.getuid(), process.getgroups().includes(0), may(HOME + "/data/new"), may(TMPDIR + "/x"), may(HOME + "/../x")]))`;
    world.reply = job.goesToItsEnd({ command: node(script), code: { s3: "s3://code/train.tar.gz" }, artifacts: ["data"] });
    world.begin({ FLEETWRIGHT_JOB_USER: "nobody" });
    await expect.poll(() => job.phases().slice(-3), until).toEqual(["exited", "uploaded", undefined]);
    await expect
      .poll(() => job.lines(), until)
      .toEqual([JSON.stringify([Number(spawnSync("id", ["-u", "nobody"]).stdout), false, true, true, false])]);
    expect([...job.kept().keys()]).toContain("files/data/new");
  });

  test("a worker without a server goes on for the time that it was given, uploads what its job left, and ends the instance", async () => {
    const beats = join(world.folder, "beats");
    const script =
      "const fs = require('fs'); fs.writeFileSync('ckpt.pt', '1'); setInterval(() => fs.appendFileSync(process.argv[1], Date.now() + '\\n'), 20)";
    const [islandMs, respondedMs] = [2_400, [] as number[]];
    world.reply = (call) => {
      if (call.attempts.length > 0 && respondedMs.length > 1) return "lost";
      respondedMs.push(Date.now());
      return orders({ islandMs, orders: [job.order({ command: node(script, beats), artifacts: ["ckpt.pt"] })] });
    };
    const shutdown = join(world.folder, "shut-down");
    const worker = world.begin({ FLEETWRIGHT_SHUTDOWN: `touch ${shutdown}` });
    expect(await worker.ended).toBe(0);
    const lastBeatMs = Number((await readFile(beats, "utf8")).trim().split("\n").at(-1));
    const islandEndMs = (respondedMs.at(-1) ?? 0) + islandMs;
    expect(lastBeatMs).toBeGreaterThan(islandEndMs - islandMs / 2);
    expect(lastBeatMs).toBeLessThan(islandEndMs + 1_000);
    expect(await readdir(world.folder)).toContain("shut-down");
    // The server cannot be reached, but S3 can.
    expect(job.manifest().artifacts).toMatchObject([{ path: "ckpt.pt" }]);
  });

  test("a worker that is refused with a verdict in the body of a 403, 404 or 410 keeps its job, and notes why", async () => {
    const statuses = [403, 404, 410];
    let refused = 0;
    world.reply = (call) => {
      if (call.attempts.length === 0) return orders({ orders: [job.order({ command: ["sh", "-c", "echo ready; exec sleep 600"] })] });
      const status = statuses[refused++ % statuses.length] ?? 403;
      return { status, body: JSON.stringify({ kind: "shutdown", because: "given back" }) };
    };
    const shutdown = join(world.folder, "shut-down");
    const worker = world.begin({ FLEETWRIGHT_SHUTDOWN: `touch ${shutdown}` });
    await expect.poll(() => refused, until).toBeGreaterThan(3);
    expect(worker.child.exitCode).toBeNull();
    expect(await readdir(world.folder)).not.toContain("shut-down");
    expect(job.last()).toMatchObject({ phase: "running" });
    for (const status of statuses) expect(worker.log.join("\n")).toContain(`HTTP status ${status}`);
    world.reply = () => ({ kind: "shutdown", because: "given back" });
    expect(await worker.ended).toBe(0);
  });

  test("a worker that nobody answers leaves the end of its job, its log and its files in its outbox before the instance ends", async () => {
    const ran = { now: false };
    world.aws.stalls = /\/log\//;
    const order = () =>
      job.order(
        { command: ["sh", "-c", "echo trained; echo weights >model.pt; sleep 0.3"], artifacts: ["model.pt"] },
        // Attempts' credentials last an hour at most, and an island may last a day.
        { outbox: outboxOrder(job.ref), credentials: someCredentials(Date.now() + 1_000) },
      );
    world.reply = (call) => {
      ran.now ||= call.attempts.length > 0;
      return ran.now ? "lost" : orders({ islandMs: 3_000, orders: [order()] });
    };
    const worker = world.begin({ FLEETWRIGHT_SHUTDOWN: "true" });
    expect(await worker.ended).toBe(0);
    expect(job.kept().has("manifest.json")).toBe(false);
    const { key } = outboxOrder(job.ref);
    const parts = await openedOutbox(world.aws.objects.get(`incoming/${key}`) ?? Buffer.alloc(0), job.ref);
    const [end, segment, file, manifest] = parts;
    expect(parts.map(({ head }) => head.kind)).toEqual(["end", "segment", "file", "manifest"]);
    expect(end?.head).toMatchObject({
      report: { ...job.ref, phase: "exited", exitCode: 0, uploads: true },
      process: world.server.calls[0]?.process,
    });
    expect(gunzipSync(segment?.body ?? "").toString()).toBe("trained\n");
    expect(segment?.head).toMatchObject({ rank: 0, number: 0, facts: { offset: 0, last: true } });
    expect(file).toEqual({ head: { kind: "file", path: "model.pt" }, body: Buffer.from("weights\n") });
    const { incomplete, ...list } = Manifest.parse(JSON.parse(manifest?.body.toString() ?? ""));
    expect([incomplete, list.artifacts]).toMatchObject([undefined, [{ path: "model.pt", bytes: 8, sha256: sha256("weights\n") }]]);
    // It is written with the instance's own credentials, whose policy allows nothing else.
    expect(String(world.aws.headers.get(`incoming/${key}`)?.["authorization"])).toContain("Credential=AKIAINSTANCE/");
    expect(worker.log.join("\n")).not.toContain(outboxOrder(job.ref).dataKey);
  });

  test("a worker ends the instance on a shutdown order, and exits with code 1 if it could not", async () => {
    world.reply = () => ({ kind: "shutdown", because: "given back" });
    expect(await world.begin().ended).toBe(0);
    expect(await world.begin({ FLEETWRIGHT_SHUTDOWN: "exit 7" }).ended).toBe(1);
  });

  test("on SIGTERM a worker stops its jobs, reports them, and leaves the instance running", async () => {
    const command = ["sh", "-c", "echo 1 >ckpt.pt; echo ready; exec sleep 600"];
    world.reply = job.begins({ command, artifacts: ["ckpt.pt"] });
    const worker = world.begin({ FLEETWRIGHT_SHUTDOWN: `touch ${join(world.folder, "shut-down")}` });
    await expect.poll(() => job.lines(), until).toEqual(["ready"]);
    worker.child.kill("SIGTERM");
    expect(await worker.ended).toBe(0);
    expect(job.last()).toEqual({ ...job.ref, phase: "stopped", reason: "the worker was asked to end", uploads: false });
    expect(job.manifest().artifacts).toMatchObject([{ path: "ckpt.pt" }]);
    expect(await readdir(world.folder)).not.toContain("shut-down");
  });

  test("before EC2 reclaims its instance, a worker lists what it has uploaded of each job, also if the program ended with exit code 0", async () => {
    const saves = "echo 1 >ckpt.pt; echo 22 >stalled.bin";
    const ended = new WorldJob(world, "train-2");
    const [stops, ends] = [job, ended].map((each, n) =>
      each.order({
        command: ["sh", "-c", n === 0 ? `trap '${saves}; exit 0' TERM; echo ready; while :; do sleep 0.05; done` : saves],
        artifacts: ["*"],
      }),
    );
    world.aws.stalls = /stalled\.bin$/;
    world.reply = (call) => {
      const toRun = [stops, ends].filter((order) => order && !call.attempts.some((each) => each.job === order.job));
      const isReady = job.reportIn(call)?.phase === "running" && job.lines().includes("ready");
      return orders({
        orders: [...toRun.flatMap((order) => order ?? []), ...(isReady ? [{ kind: "stop" as const, ...job.ref, because: "taken" }] : [])],
      });
    };
    const time = new Date(Date.now() + 12_000).toISOString();
    world.metadata.documents.set("meta-data/spot/instance-action", JSON.stringify({ action: "terminate", time }));
    world.begin();
    for (const each of [job, ended]) {
      await expect.poll(() => each.kept().has("manifest.json"), until).toBe(true);
      expect(each.manifest()).toMatchObject({
        artifacts: [{ path: "ckpt.pt" }],
        leftOut: [{ path: "stalled.bin", because: "there was no time left to upload it" }],
        incomplete: true,
      });
    }
    expect(Date.now()).toBeLessThan(Date.parse(time));
    const reasons = ["taken", "EC2 is reclaiming the instance"];
    await expect
      .poll(() => [job, ended].map((each) => each.last()), until)
      .toEqual([job, ended].map(({ ref }, n) => ({ ...ref, phase: "stopped", reason: reasons[n], uploads: false })));
  });

  test("after a crash a worker ends and reports what the last process left running, including containers", async () => {
    const { server, folder } = world;
    const contained = new WorldJob(world, "train-2");
    const toRun = [job.order({ command: tellsItsPid }), contained.order({ command: tellsItsPid, image: "busybox" })];
    world.reply = () => orders({ orders: job.reports().length > 0 && contained.reports().length > 0 ? [] : toRun });
    const PATH = await standInDocker(folder, join(folder, "docker"));
    const first = world.begin({ PATH });
    const pids = () => [job, contained].flatMap((each) => each.lines().filter((line) => /^\d+$/.test(line)));
    await expect.poll(() => pids().length, until).toBe(2);
    first.child.kill("SIGKILL");
    await first.ended;
    expect(pids().map(isAlive)).toEqual([true, true]);
    const callsBefore = server.calls.length;
    world.begin({ PATH });
    const reason = "the worker on this node was restarted";
    await expect
      .poll(() => server.calls.length > callsBefore && [job.last(), contained.last()], until)
      .toEqual([job, contained].map(({ ref }) => ({ ...ref, phase: "stopped", reason })));
    expect(isAlive(pids()[0] ?? "")).toBe(false);
    expect(await readdir(join(folder, "docker", "containers"))).toEqual([]);
    await expect.poll(() => pids().map(isAlive), until).toEqual([false, false]);
    expect(new Set(server.calls.map((call) => call.process)).size).toBe(2);
  });

  test("a result that nobody has heard of survives a restart of the worker, and is delivered once somebody answers", async () => {
    const { server, folder } = world;
    const runs = join(folder, "runs");
    const script = `echo trained; echo weights >model.pt; echo ran >>${runs}; exit 3`;
    const order = () =>
      job.order(
        { command: ["sh", "-c", script], artifacts: ["model.pt"], env: { TOKEN: "secret" } },
        { credentials: someCredentials(Date.now() + 1_000) },
      );
    const silent = { now: false };
    world.aws.stalls = /./;
    world.reply = (call) => {
      silent.now ||= call.attempts.length > 0;
      return silent.now ? "lost" : orders({ orders: [order()] });
    };
    const first = world.begin();
    const root = join(folder, "attempts", "vision", "train-1", "1");
    await expect.poll(() => readdir(root).catch(() => []), until).toContain("end.json");
    const end = await readFile(join(root, "end.json"), "utf8");
    expect(end).not.toMatch(/TOKEN|job-secret|job-token/);
    expect((await stat(join(root, "end.json"))).mode & 0o777).toBe(0o600);
    first.child.kill("SIGKILL");
    await first.ended;
    world.aws.stalls = undefined;
    const callsBefore = server.calls.length;
    const second = world.begin();
    await expect.poll(() => server.calls.length - callsBefore, until).toBeGreaterThan(2);
    expect(job.kept().size).toBe(0);
    const credentials = { ...someCredentials(), accessKeyId: "AKIARENEWED" };
    world.reply = (call) => {
      const over = call.attempts.find((each) => "uploads" in each && each.uploads === false);
      return orders({ renewed: call.renew.map((of) => ({ ...of, credentials })), done: over ? [job.ref] : [], orders: [] });
    };
    await expect.poll(() => [...job.kept().keys()], until).toEqual(["log/0/000000.gz", "files/model.pt", "manifest.json"]);
    expect(gunzipSync(job.kept().get("log/0/000000.gz") ?? "").toString()).toBe("trained\n");
    await expect
      .poll(() => job.reports().at(-1), until)
      .toEqual({ ...job.ref, phase: "exited", exitCode: 3, startedAtMs: expect.any(Number), uploads: false });
    expect(String(world.aws.headers.get("incoming/vision/train-1/1/manifest.json")?.["authorization"])).toContain("AKIARENEWED");
    // The program was not run again, and its folder is gone when the server is done with it.
    expect(await readFile(runs, "utf8")).toBe("ran\n");
    await expect.poll(() => readdir(join(folder, "attempts", "vision", "train-1")).catch(() => []), until).toEqual([]);
    second.child.kill("SIGTERM");
  });

  /** Runs a job to an end that no one hears of, and kills the worker. `idle`: how long its node then has been an island that runs nothing. */
  async function unheardEnd(idleMs: number): Promise<void> {
    world.aws.stalls = /./;
    const over = { outbox: outboxOrder(job.ref), credentials: someCredentials(Date.now() + 1_000) };
    const order = job.order({ command: ["sh", "-c", "echo trained; echo weights >model.pt"], artifacts: ["model.pt"] }, over);
    world.reply = (call) => (call.attempts.length > 0 ? "lost" : orders({ orders: [order] }));
    const first = world.begin();
    const root = join(world.folder, "attempts", "vision", "train-1", "1");
    await expect.poll(() => readdir(root).catch(() => []), until).toContain("end.json");
    first.child.kill("SIGKILL");
    await first.ended;
    world.aws.stalls = undefined;
    world.reply = () => "lost";
    await writeFile(join(world.folder, "island.json"), JSON.stringify({ version: 1, unansweredMs: idleMs, idleMs, islandMs: 86_400_000 }));
  }

  test("a worker that restarts without a response goes on counting, leaves the result of the last process on S3, and ends the instance", async () => {
    await unheardEnd(14 * 60_000 + 1_000);
    const { key } = outboxOrder(job.ref);
    const worker = world.begin({ FLEETWRIGHT_SHUTDOWN: `touch ${join(world.folder, "shut-down")}` });
    expect(await worker.ended).toBe(0);
    const parts = await openedOutbox(world.aws.objects.get(`incoming/${key}`) ?? Buffer.alloc(0), job.ref);
    expect(parts.map(({ head }) => head.kind)).toEqual(["end", "segment", "file", "manifest"]);
    expect(await readdir(world.folder)).toContain("shut-down");
    expect(worker.log.filter((line) => line.includes("outbox left"))).toHaveLength(1);
  });

  test("a worker that cannot end what the last process left makes no call, leaves what is kept on S3, and ends the instance", async () => {
    await unheardEnd(14 * 60_000 + 1_000);
    const escaped = join(world.folder, "attempts", "vision", "train-2", "1");
    await mkdir(escaped, { recursive: true });
    await writeFile(join(escaped, "container.env"), "");
    const PATH = await standIn(world.folder, "docker", "exit 1");
    const callsBefore = world.server.calls.length;
    const worker = world.begin({ PATH, FLEETWRIGHT_SHUTDOWN: `touch ${join(world.folder, "shut-down")}` });
    expect(await worker.ended).toBe(0);
    expect(world.server.calls).toHaveLength(callsBefore);
    expect([...world.aws.objects.keys()]).toContain(`incoming/${outboxOrder(job.ref).key}`);
    expect(await readdir(world.folder)).toContain("shut-down");
  });

  test("a job with an image fails permanently if the node has no Docker", async () => {
    world.reply = job.begins({ image: "busybox" });
    world.begin({ PATH: join(world.folder, "bin") });
    await expect
      .poll(() => job.last(), until)
      .toEqual({
        ...job.ref,
        phase: "failed",
        again: false,
        reason: "this node has no Docker, which the job's image needs",
        uploads: false,
      });
  });

  test("a worker reports its address and GPUs, and a notice without waiting", async () => {
    const { server, metadata } = world;
    metadata.documents.set("meta-data/local-ipv4", "10.0.3.4");
    const PATH = await standIn(world.folder, "nvidia-smi", 'echo "0, Tesla T4, 35, 100, 15360, 27.10, 40, 0, 0x0000000000000004"');
    world.reply = () => orders({ callAgainMs: server.calls.some((call) => call.gpus && call.address) ? 60_000 : 100 });
    world.begin({ PATH });
    await expect
      .poll(() => server.calls.at(-1), until)
      .toMatchObject({
        address: "10.0.3.4",
        gpus: [{ index: 0, model: "Tesla T4", utilizationPercent: 35, throttled: ["sw_power_cap"] }],
      });
    // What it learned during a call causes one more call, a moment later.
    let callsBefore = 0;
    await expect
      .poll(async () => {
        callsBefore = server.calls.length;
        await new Promise((resolve) => setTimeout(resolve, 300));
        return server.calls.length === callsBefore;
      }, until)
      .toBe(true);
    metadata.documents.set("meta-data/spot/instance-action", '{"action": "terminate", "time": "2026-06-01T12:02:00Z"}');
    await expect.poll(() => server.calls.at(-1)?.notice, until).toEqual({ kind: "interruption", atMs: Date.parse("2026-06-01T12:00:00Z") });
    expect(server.calls.length).toBe(callsBefore + 1);
  });

  test("a worker with an incomplete environment reports what is missing", async () => {
    const worker = startWorker({ FLEETWRIGHT_POOL: "gpu" });
    expect(await worker.ended).toBe(1);
    expect(worker.log.join("\n")).toContain("FLEETWRIGHT_NODE_URL");
  });
});
