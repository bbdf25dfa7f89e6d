import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import type { JobSpec } from "../../../lib/model/job.ts";
import { systemClock } from "../../../lib/worker/clock.ts";
import { containersOn, removeLeftContainers } from "../../../lib/worker/containers.ts";
import { folderOf, makeFolder } from "../../../lib/worker/folders.ts";
import type { End, Running } from "../../../lib/worker/running.ts";
import { runOrder } from "./http-fakes.ts";
import { linesInto } from "./output-lines.ts";
import { standInDocker } from "./stand-in.ts";

/**
 * There is no Docker engine where these tests run. A stand-in (docker-stand-in.ts) notes how it is called and behaves as
 * the engine is documented to; that the real client takes these very options was tried by hand with Docker 28.2.
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

const Call = z.object({ args: z.array(z.string()), env: z.record(z.string(), z.string()) });
const calls = async (verb?: string) => {
  const lines = (await readFile(join(folder, "calls"), "utf8").catch(() => "")).split("\n").filter(Boolean);
  return lines.map((line) => Call.parse(JSON.parse(line))).filter((call) => verb === undefined || call.args[0] === verb);
};
const logged: string[] = [];
const machine = () => ({ folder, path, log: (_level: string, message: string) => logged.push(message) });

/** Pauses between tries pass at once. */
const hurried = { ...systemClock, after: (_ms: number, then: () => void) => systemClock.after(0, then) };

async function begin(spec: Partial<JobSpec>): Promise<{ begun: Running | End; lines: string[] }> {
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

async function run(spec: Partial<JobSpec>): Promise<{ end: End; lines: string[] }> {
  const { begun, lines } = await begin(spec);
  return { end: "kind" in begun ? begun : await begun.ended, lines };
}

async function start(script: string): Promise<{ job: Running; lines: string[] }> {
  const { begun, lines } = await begin({ command: node(script) });
  if ("kind" in begun) throw new Error("it has ended");
  return { job: begun, lines };
}
const node = (script: string) => [process.execPath, "-e", script];
const forever = "setInterval(() => {}, 1000); console.log('ready')";

describe("a container", () => {
  test("is fetched, run and removed; what it says are the job's lines", async () => {
    const script =
      "console.log(process.env.GREETING, process.env.FLEETWRIGHT_ARTIFACTS); console.error('done'); require('fs').writeFileSync('model', '')";
    const { end, lines } = await run({ command: node(script), env: { GREETING: "hello" }, artifacts: ["model", "log"] });
    expect(end).toEqual({ kind: "exited", code: 0 });
    expect(lines.filter((line) => !line.includes("docker pull")).toSorted()).toEqual(["done", "hello model", "log"]);
    expect(lines).toContain("[fleetwright: docker pull: Status: Downloaded newer image for busybox:latest]");
    expect((await calls()).map(({ args }) => args[0])).toEqual(["pull", "rm", "run", "inspect", "rm"]);
    expect(await readdir(join(folder, "containers"))).toEqual([]);
    expect(await readdir(join(folder, "attempts/vision/train-1/1/work"))).toEqual(["model"]);
  });

  test("gets its variables from a file that only the worker reads, and the client none of them", async () => {
    await run({ command: node("console.log(process.env.TOKEN)"), env: { TOKEN: "hush", DOCKER_HOST: "tcp://evil:2375", LD_PRELOAD: "" } });
    for (const { args, env } of await calls()) {
      expect(JSON.stringify(args)).not.toContain("hush");
      expect(Object.keys(env).filter((name) => ["TOKEN", "DOCKER_HOST", "LD_PRELOAD"].includes(name))).toEqual([]);
    }
    const { mode } = await import("node:fs").then((fs) => fs.statSync(join(folder, "attempts/vision/train-1/1/container.env")));
    expect(mode & 0o777).toBe(0o600);
  });

  test("ends with its program's code and last words", async () => {
    expect((await run({ command: node("console.error('out of data'); process.exit(3)") })).end).toEqual({
      kind: "exited",
      code: 3,
      reason: "out of data",
    });
  });

  test("that ran out of memory says so", async () => {
    expect((await run({ image: "hungry", command: node("process.kill(process.pid, 'SIGKILL')") })).end).toEqual({
      kind: "exited",
      code: 137,
      reason: "ran out of its 2 GiB of memory",
    });
  });

  test("without its command is the job's failure; one that cannot be made is the machine's", async () => {
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

  test("is asked to end, and may say its last words", async () => {
    const { job, lines } = await start(`process.on('SIGTERM', () => { console.log('saved'); process.exit(0) }); ${forever}`);
    await expect.poll(() => lines, until).toContain("ready");
    job.stop(5_000);
    expect(await job.ended).toEqual({ kind: "exited", code: 0 });
    expect(lines.at(-1)).toBe("saved");
    expect((await calls("stop"))[0]?.args).toEqual(["stop", "-t", "5", "fleetwright-vision.train-1.1"]);
  });

  test("that does not listen is killed after its grace, and a second stop can be sharper", async () => {
    const { job, lines } = await start(`process.on('SIGTERM', () => {}); ${forever}`);
    await expect.poll(() => lines, until).toContain("ready");
    job.stop(60_000);
    job.stop(300);
    expect(await job.ended).toMatchObject({ kind: "exited", code: 137 });
    expect(await readdir(join(folder, "containers"))).toEqual([]);
  });

  test("that is stopped before it has begun ends too", async () => {
    const { job } = await start(forever);
    job.stop(1_000);
    expect(await job.ended).toMatchObject({ kind: "exited" });
    expect(await readdir(join(folder, "containers"))).toEqual([]);
  });

  test("that is stopped while its engine is down is ended without it, before the engine is asked how", async () => {
    const { job, lines } = await start("setInterval(() => {}, 1000); console.log('pid', process.pid)");
    await expect.poll(() => lines.some((line) => line.startsWith("pid")), until).toBe(true);
    const [, pid] = lines.find((line) => line.startsWith("pid"))?.split(" ") ?? [];
    await writeFile(join(folder, "no-engine"), "");
    job.stop(100);
    await expect.poll(() => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "gone"), until).toMatch(/^gone$|\) Z /);
    expect((await calls("inspect")).length).toBeLessThan(3);
    await rm(join(folder, "no-engine"));
    await job.ended;
  });

  test("does not outlive its client", async () => {
    const { job, lines } = await start("setInterval(() => {}, 1000); console.log('pid', process.pid, process.ppid)");
    await expect.poll(() => lines.some((line) => line.startsWith("pid")), until).toBe(true);
    const [, pid, client] = lines.find((line) => line.startsWith("pid"))?.split(" ") ?? [];
    process.kill(Number(client), "SIGKILL");
    expect(await job.ended).toMatchObject({ kind: "failed", again: true, reason: expect.stringContaining("while it ran") });
    await expect.poll(() => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "gone"), until).toMatch(/^gone$|\) Z /);
  });
});

describe("an image", () => {
  const pulls = async () => (await calls("pull")).length;

  test.each(["missing", "private"])("that is not to be had fails the job at once: %s", async (image) => {
    await expect(run({ image })).rejects.toMatchObject({
      code: "image",
      retry: false,
      message: expect.stringContaining(`the image ${image} cannot be had`),
    });
    expect(await pulls()).toBe(1);
  });

  test("whose registry is busy is asked for again", async () => {
    expect((await run({ image: "flaky", command: node("") })).end).toMatchObject({ code: 0 });
    expect(await pulls()).toBe(3);
  });

  test("whose registry is down is given up, for another node to try", async () => {
    await expect(run({ image: "down" })).rejects.toMatchObject({
      code: "image",
      retry: true,
      message: expect.stringContaining("TLS handshake timeout"),
    });
    expect(await pulls()).toBe(3);
  });

  test("is fetched no further when the attempt is stopped", async () => {
    const stopping = expect(run({ image: "huge" })).rejects.toMatchObject({ retry: true });
    await expect.poll(pulls, until).toBe(1);
    stopped.abort();
    await stopping;
    expect((await calls()).map(({ args }) => args[0])).toEqual(["pull"]);
  });
});

test("a container is not begun when the attempt is stopped while a left one is removed", async () => {
  await writeFile(join(folder, "slow-removal"), "");
  const stopping = expect(run({ command: node(forever) })).rejects.toMatchObject({ code: "stopped", retry: true });
  await expect.poll(async () => (await calls("rm")).length, until).toBe(1);
  stopped.abort();
  await stopping;
  expect(await calls("run")).toEqual([]);
});

describe("a node", () => {
  test("without Docker says so, for good", async () => {
    path = join(folder, "empty");
    await expect(run({})).rejects.toMatchObject({
      code: "docker",
      retry: false,
      message: "this node has no Docker to run the job's image with",
    });
    await removeLeftContainers(machine());
  });

  test("whose engine is down lets another try", async () => {
    await writeFile(join(folder, "no-engine"), "");
    await expect(run({})).rejects.toMatchObject({ retry: true, message: expect.stringContaining("Cannot connect to the Docker daemon") });
    await removeLeftContainers(machine());
    expect(logged.at(-1)).toBe("containers of an earlier worker are not looked for");
  });

  test("removes what an earlier worker left running, and nobody else's", async () => {
    const { job, lines } = await start(forever);
    await expect.poll(() => lines, until).toContain("ready");
    await removeLeftContainers({ ...machine(), folder: "/var/lib/another" });
    expect(await readdir(join(folder, "containers"))).toEqual(["fleetwright-vision.train-1.1"]);
    await removeLeftContainers(machine());
    expect(await readdir(join(folder, "containers"))).toEqual([]);
    expect((await job.ended).kind).toBe("failed");
  });
});
