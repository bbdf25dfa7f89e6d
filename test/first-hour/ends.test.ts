import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { type Command, type Ended, fleet as fleetIn, freePort, openHome, start } from "../e2e/fleet-command.ts";

/** The output of `fleet demo --json`. */
const Summary = z.object({
  jobs: z
    .array(
      z.object({
        id: z.string().min(1),
        state: z.enum(["succeeded", "failed", "rejected", "cancelled"]),
        attempts: z.int().min(0),
        waitMs: z.number().min(0).nullable(),
        reason: z.string().min(1).nullable(),
      }),
    )
    .min(10),
  eventToLaunchMs: z.object({ p50: z.number().positive(), p99: z.number().positive() }),
  instances: z.object({ launched: z.int().min(1), remaining: z.literal(0) }),
  artifacts: z.object({ sealed: z.int().min(1), verified: z.int().min(1) }),
  interruptions: z.object({ noticed: z.int().min(1), resumed: z.int().min(1), lost: z.literal(0) }),
  alarms: z.object({ fired: z.int().min(1), handled: z.int().min(1) }),
  datasets: z.object({ shards: z.int().min(1), fetched: z.int().min(1), verified: z.int().min(1), mapVersion: z.int().min(2) }),
  gangs: z.object({ started: z.int().min(1), partial: z.literal(0) }),
  ok: z.literal(true),
});

let home: Awaited<ReturnType<typeof openHome>>;
let folder: string;
let job: string;
let cloud: Command;
const opened: Command[] = [];
/** A run that is killed during its start, so that later runs start next to its remains. */
let killed: Command;
let demonstration: Command;

const fleet = (...args: string[]): Promise<Ended> => fleetIn(args, { home: home.path });
const open = (args: readonly string[]): Command => {
  const command = start(args, { home: home.path });
  opened.push(command);
  return command;
};

beforeAll(async () => {
  [home, folder] = await Promise.all([openHome(), mkdtemp(join(tmpdir(), "fleetwright-ends-"))]);
  job = join(folder, "hello.json");
  await writeFile(job, JSON.stringify({ id: "hello", command: ["true"] }));
  killed = open(["local", "--port", String(await freePort())]);
  await has(killed, "serve.py");
  killed.kill();
  cloud = open(["local", "--port", String(await freePort())]);
  await cloud.says(/^local cloud at http/m);
  // At least one instance, whose metadata service listens, too.
  await fleetIn(["submit", "-", "--team", "vision", "--wait"], { home: home.path, input: '{"id":"one","command":["true"]}' });
  demonstration = open(["demo", "--json"]);
});
afterAll(async () => {
  for (const command of opened) command.kill();
  await Promise.all(opened.map((command) => command.ended));
  await Promise.all([home.close(), rm(folder, { recursive: true })]);
});

async function gone(command: Command): Promise<void> {
  await vi.waitFor(async () => expect(await command.processes.left()).toEqual([]), { timeout: 15_000, interval: 100 });
}
/** Waits until the command has these processes, so that there is something to end. */
async function has(command: Command, ...programs: string[]): Promise<void> {
  const look = async (): Promise<void> => {
    const all = (await command.processes.left()).join("\n");
    for (const program of programs) expect(all).toContain(program);
  };
  await vi.waitFor(look, { timeout: 30_000 });
}

describe("fleet demo", () => {
  it("fleet demo succeeds next to a running cloud and the remains of a killed run, and prints its summary on the last line", async () => {
    const ended = await demonstration.ended;
    expect(ended.code, ended.err).toBe(0);
    const summary = Summary.parse(JSON.parse(ended.out.trimEnd().split("\n").at(-1) ?? ""));
    expect(summary.jobs.filter(({ state, attempts }) => state === "succeeded" && attempts > 1)).not.toEqual([]);
    expect(summary.jobs.filter(({ state, reason }) => state === "rejected" && reason?.includes("not JSON"))).not.toEqual([]);
    expect(summary.artifacts.verified).toBe(summary.artifacts.sealed);
  });

  it("fleet demo and fleet local listen only on 127.0.0.1", async () => {
    await demonstration.ended;
    for (const each of [cloud, demonstration]) {
      const addresses = [...(await each.processes.listened())];
      // The endpoint, two emulators, and at least one instance's metadata service.
      expect(addresses.length).toBeGreaterThanOrEqual(4);
      expect(addresses.filter((address) => !address.startsWith("127.0.0.1:"))).toEqual([]);
    }
  });

  it("fleet demo leaves no process behind, whether it ends or is killed during its start", async () => {
    await Promise.all([gone(killed), gone(demonstration)]);
  });
});

async function interrupted(command: Command, code: number): Promise<void> {
  const atMs = performance.now();
  command.interrupt();
  const ended = await command.ended;
  expect(performance.now() - atMs).toBeLessThan(15_000);
  expect(ended.code, ended.err).toBe(code);
  await gone(command);
}

describe("a local cloud that is killed", () => {
  it("killing a local cloud ends everything that it started, even while jobs run on it", async () => {
    await fleetIn(["submit", "-", "--team", "vision"], { home: home.path, input: '{"id":"long","command":["sleep","397"]}' });
    await has(cloud, "serve.py", "worker.mjs", "watchdog-process.ts", "sleep 397");
    cloud.kill();
    await gone(cloud);
    const ended = await fleet("submit", job, "--team", "research");
    expect(ended.err).toMatch(/no local cloud is running/);
  });
});

describe("Ctrl-C", () => {
  it("Ctrl-C ends everything during a demonstration", { concurrent: true }, async () => {
    const command = open(["demo"]);
    await command.says(/research\/train {2}(placed|running)/, 180_000);
    await has(command, "serve.py", "worker.mjs", "watchdog-process.ts");
    await interrupted(command, 130);
  });

  it("Ctrl-C ends everything during an outage of a chaos run, and its folder is deleted", { concurrent: true }, async () => {
    const command = start(["chaos", "--wire", "--scenario", "outage"], { home: home.path, environment: { TMPDIR: folder } });
    opened.push(command);
    await command.says(/no function can be reached/, 180_000);
    const own = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.startsWith("fleetwright-chaos-wire-"));
    expect(await own()).toHaveLength(1);
    await has(command, "serve.py", "worker.mjs", "watchdog-process.ts", "outage-1-goes-on");
    await interrupted(command, 130);
    expect(await own()).toEqual([]);
  });

  it("Ctrl-C ends a local cloud during its start", { concurrent: true }, async () => {
    const command = open(["local", "--port", String(await freePort())]);
    await has(command, "serve.py");
    await interrupted(command, 130);
  });

  it("Ctrl-C ends a local cloud that took a free port because the default port was taken", {
    concurrent: true,
  }, async () => {
    const taken = createServer().listen(4566, "127.0.0.1");
    // Another process may hold the port, which is just as good.
    await Promise.race([once(taken, "listening"), once(taken, "error").catch(() => undefined)]);
    try {
      const command = open(["local"]);
      const refused = await fleetIn(["local", "--port", "4566"], { home: home.path });
      expect(refused).toMatchObject({ code: 1 });
      expect(refused.err).toMatch(/port 4566 of 127\.0\.0\.1 is taken; .*omit --port/);
      await command.says(/port 4566 is taken; using a free one/);
      await command.says(/^local cloud at http/m);
      await interrupted(command, 0);
    } finally {
      taken.close();
    }
    const ended = await fleet("submit", job, "--team", "research");
    expect(ended.err, "commands forget its address").toMatch(/no local cloud is running/);
  });
});
