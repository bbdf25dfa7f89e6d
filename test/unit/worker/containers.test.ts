import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { JobSpec } from "../../../lib/model/job.ts";
import type { ProgramEnd, Running } from "../../../lib/worker/program/running.ts";
import { containersOn, removeLeftContainers } from "../../../lib/worker/run/containers.ts";
import { folderOf, makeFolder } from "../../../lib/worker/run/folders.ts";
import { systemClock } from "../../../lib/worker/runtime/clock.ts";
import { workerLogInto } from "../../fakes/log-lines.ts";
import { runOrder } from "./http-fakes.ts";
import { linesInto } from "./output-lines.ts";
import { standInDocker } from "./stand-in.ts";

/**
 * These tests run without a Docker engine. A stand-in (docker-stand-in.sh) records how it is called and behaves as the engine is
 * documented to. That the real client accepts these options was checked by hand with Docker 28.2.
 */
vi.setConfig({ testTimeout: 30_000 });
const until = { timeout: 15_000, interval: 20 };

let folder: string;
let path: string;
let stopped: AbortController;
const running: Running[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-containers-"));
  path = await standInDocker(folder, folder);
  stopped = new AbortController();
});
afterEach(async () => {
  for (const each of running.splice(0)) {
    each.stop(0);
    await each.ended;
  }
  await rm(folder, { recursive: true, force: true });
});

/** The arguments of each call of the client, in order. */
const calls = async (verb?: string): Promise<string[][]> => {
  const lines = (await readFile(join(folder, "calls"), "utf8").catch(() => "")).split("\n").filter(Boolean);
  return lines.map((line) => line.split("\t").slice(0, -1)).filter(([first]) => verb === undefined || first === verb);
};
const logged: string[] = [];
const machine = () => ({ folder, path, log: workerLogInto(logged) });

/** A clock on which the pauses between tries take no time. */
const hurried = { ...systemClock, after: (_ms: number, then: () => void) => systemClock.after(0, then) };

async function begin(spec: Partial<JobSpec>): Promise<{ begun: Running | ProgramEnd; lines: string[] }> {
  const lines: string[] = [];
  const order = runOrder({ image: "busybox", memoryGiB: 2, gpus: { count: 1, memoryGiB: 0, models: [] }, ...spec });
  const place = folderOf(folder, order);
  await makeFolder(place, undefined);
  const tries = { clock: hurried, random: () => 0, signal: stopped.signal, most: 3 };
  const output = linesInto(lines);
  const begun = await containersOn(machine())({ order, folder: place, gpus: [0], output, onLine: (line) => lines.push(line), tries });
  if (!("kind" in begun)) running.push(begun);
  return { begun, lines };
}

async function run(spec: Partial<JobSpec>): Promise<{ end: ProgramEnd; lines: string[] }> {
  const { begun, lines } = await begin(spec);
  return { end: "kind" in begun ? begun : await begun.ended, lines };
}

async function start(script: string, over: Partial<JobSpec> = {}): Promise<{ job: Running; lines: string[] }> {
  const { begun, lines } = await begin({ command: sh(script), ...over });
  if ("kind" in begun) throw new Error("it has ended");
  return { job: begun, lines };
}
const sh = (script: string) => ["/bin/sh", "-c", script];
const forever = "echo ready; exec sleep 600";
const tellsItsPids = "echo pid $$ $PPID; exec sleep 600";

describe("a container", () => {
  test("an image is pulled, its container is run and removed, and the output becomes the job's lines", async () => {
    const script = 'echo "$GREETING $FLEETWRIGHT_ARTIFACTS"; echo done >&2; touch model';
    const { end, lines } = await run({ command: sh(script), env: { GREETING: "hello" }, artifacts: ["model", "log"] });
    expect(end).toEqual({ kind: "exited", code: 0 });
    expect(lines.filter((line) => !line.includes("docker pull")).toSorted()).toEqual(["done", "hello model", "log"]);
    expect(lines).toContain("[fleetwright: docker pull: Status: Downloaded newer image for busybox:latest]");
    expect((await calls()).map(([verb]) => verb)).toEqual(["pull", "rm", "run", "inspect", "rm"]);
    expect(logged).not.toContain("container not removed");
    expect(await readdir(join(folder, "containers"))).toEqual([]);
    expect(await readdir(join(folder, "attempts/vision/train-1/1/work"))).toEqual(["model"]);
  });

  test("a container gets its variables from a file that only the worker can read, and docker's client gets none of them", async () => {
    const env = { TOKEN: "hush", DOCKER_HOST: "tcp://evil:2375", LD_PRELOAD: "" };
    expect((await run({ command: sh('echo "$TOKEN"'), env })).lines).toContain("hush");
    expect(JSON.stringify(await calls())).not.toContain("hush");
    const environments = await readFile(join(folder, "environments"), "utf8");
    expect(environments).toContain("FLEETWRIGHT_ARTIFACTS");
    expect(environments).not.toMatch(/TOKEN|DOCKER_HOST|LD_PRELOAD/);
    const { mode } = await import("node:fs").then((fs) => fs.statSync(join(folder, "attempts/vision/train-1/1/container.env")));
    expect(mode & 0o777).toBe(0o600);
  });

  test("a container ends with its program's exit code and last output", async () => {
    expect((await run({ command: sh("echo out of data >&2; exit 3") })).end).toEqual({
      kind: "exited",
      code: 3,
      reason: "out of data",
    });
  });

  test("the end of a container that ran out of memory has that reason", async () => {
    expect((await run({ image: "hungry", command: sh("kill -s KILL $$") })).end).toEqual({
      kind: "exited",
      code: 137,
      reason: "ran out of its 2 GiB of memory",
    });
  });

  test("a missing command is a failure of the job, and a container that cannot be created is one of the machine", async () => {
    expect((await run({ command: ["nowhere-to-be-found"] })).end).toMatchObject({
      kind: "exited",
      code: 127,
      reason: expect.stringContaining("command not found in the image"),
    });
    expect((await run({ image: "unmakeable" })).end).toMatchObject({
      kind: "failed",
      again: true,
      reason: expect.stringContaining("could not select device driver"),
    });
  });

  test("a stopped container receives SIGTERM first and can still write output", async () => {
    const { job, lines } = await start("trap 'echo saved; exit' TERM; echo ready; while :; do sleep 0.05; done");
    await expect.poll(() => lines, until).toContain("ready");
    job.stop(5_000);
    expect(await job.ended).toEqual({ kind: "exited", code: 0 });
    expect(lines.at(-1)).toBe("saved");
    expect((await calls("stop"))[0]).toEqual(["stop", "-t", "5", "fleetwright-vision.train-1.1"]);
  });

  test("a container that ignores SIGTERM is killed after the grace period, and a second stop can shorten it", async () => {
    const { job, lines } = await start(`trap "" TERM; ${forever}`);
    await expect.poll(() => lines, until).toContain("ready");
    job.stop(60_000);
    job.stop(300);
    expect(await job.ended).toMatchObject({ kind: "exited", code: 137 });
    expect(await readdir(join(folder, "containers"))).toEqual([]);
  });

  test("a container that is stopped before it starts ends too", async () => {
    const { job } = await start(forever, { image: "slow" });
    job.stop(5_000);
    expect(await job.ended).toMatchObject({ kind: "exited", code: 143 });
    expect((await calls("stop")).length).toBeGreaterThan(1);
    expect(await readdir(join(folder, "containers"))).toEqual([]);
  });

  test("a container that is stopped while its engine is down is ended without the engine, before it is inspected", async () => {
    const { job, lines } = await start(tellsItsPids);
    await expect.poll(() => lines.some((line) => line.startsWith("pid")), until).toBe(true);
    const [, pid] = lines.find((line) => line.startsWith("pid"))?.split(" ") ?? [];
    await writeFile(join(folder, "no-engine"), "");
    job.stop(100);
    await expect.poll(() => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "gone"), until).toMatch(/^gone$|\) Z /);
    expect((await calls("inspect")).length).toBeLessThan(3);
    await rm(join(folder, "no-engine"));
    await job.ended;
  });

  test("a container does not outlive docker's client", async () => {
    const { job, lines } = await start(tellsItsPids);
    await expect.poll(() => lines.some((line) => line.startsWith("pid")), until).toBe(true);
    const [, pid, client] = lines.find((line) => line.startsWith("pid"))?.split(" ") ?? [];
    process.kill(Number(client), "SIGKILL");
    expect(await job.ended).toMatchObject({ kind: "failed", again: true, reason: expect.stringContaining("while the container ran") });
    await expect.poll(() => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "gone"), until).toMatch(/^gone$|\) Z /);
  });
});

describe("an image", () => {
  const pulls = async () => (await calls("pull")).length;

  test.each(["missing", "private"])("an image that is not available fails the job at once: %s", async (image) => {
    await expect(run({ image })).rejects.toMatchObject({
      code: "image",
      retry: false,
      message: expect.stringContaining(`the image ${image} is not available`),
    });
    expect(await pulls()).toBe(1);
  });

  test("an image is pulled again if its registry is busy", async () => {
    expect((await run({ image: "flaky", command: sh("exit 0") })).end).toMatchObject({ code: 0 });
    expect(await pulls()).toBe(3);
  });

  test("an image whose registry is down fails the attempt, which may be retried on another node", async () => {
    await expect(run({ image: "down" })).rejects.toMatchObject({
      code: "image",
      retry: true,
      message: expect.stringContaining("TLS handshake timeout"),
    });
    expect(await pulls()).toBe(3);
  });

  test("the pull of an image ends when the attempt is stopped", async () => {
    const stopping = expect(run({ image: "huge" })).rejects.toMatchObject({ retry: true });
    await expect.poll(pulls, until).toBe(1);
    stopped.abort();
    await stopping;
    expect((await calls()).map(([verb]) => verb)).toEqual(["pull"]);
  });
});

test("a container is not started if the attempt is stopped while a leftover one is removed", async () => {
  await writeFile(join(folder, "slow-removal"), "");
  const stopping = expect(run({ command: sh(forever) })).rejects.toMatchObject({ code: "stopped", retry: true });
  await expect.poll(async () => (await calls("rm")).length, until).toBe(1);
  stopped.abort();
  await stopping;
  expect(await calls("run")).toEqual([]);
});

describe("a node", () => {
  test("a job with an image fails permanently on a node without Docker", async () => {
    path = join(folder, "empty");
    await expect(run({})).rejects.toMatchObject({
      code: "docker",
      retry: false,
      message: "this node has no Docker, which the job's image needs",
    });
    await removeLeftContainers(machine());
  });

  test("a job with an image may be retried elsewhere if the node's engine is down", async () => {
    await writeFile(join(folder, "no-engine"), "");
    await expect(run({})).rejects.toMatchObject({ retry: true, message: expect.stringContaining("Cannot connect to the Docker daemon") });
    // It must not be taken for granted then that no container runs.
    expect(await removeLeftContainers(machine())).toBe(false);
    expect(logged.at(-1)).toBe("leftover containers not listed");
  });

  test("the worker removes containers that an earlier worker left, and no others", async () => {
    const { job, lines } = await start(forever);
    await expect.poll(() => lines, until).toContain("ready");
    await removeLeftContainers({ ...machine(), folder: "/var/lib/another" });
    expect(await readdir(join(folder, "containers"))).toEqual(["fleetwright-vision.train-1.1"]);
    expect(await removeLeftContainers(machine())).toBe(true);
    expect(await readdir(join(folder, "containers"))).toEqual([]);
    expect((await job.ended).kind).toBe("failed");
  });
});
