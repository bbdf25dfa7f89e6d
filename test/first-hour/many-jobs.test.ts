import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { type Command, type Ended, fleet as fleetIn, openHome, start } from "../e2e/fleet-command.ts";

/**
 * Two thousand jobs that wait, as a user sees them: submitted with one command, listed with one, and cancelled with one, on a local
 * cloud whose EC2 has no capacity. Each measured time is that of the whole command, from its start to its end.
 */
const total = 2_000;
const longestListMs = 5_000;
const longestCancelMs = 60_000;

const Listed = z.object({ jobs: z.array(z.object({ id: z.string(), state: z.string() })) });

let home: Awaited<ReturnType<typeof openHome>>;
let folder: string;
let cloud: Command;
const fleet = (...args: string[]): Promise<Ended> => fleetIn([...args, "--team", "research"], { home: home.path });

/** Prints a measured time with the test's result. */
const measured = (what: string, { tookMs }: Ended): void => console.info(`${what}: ${(tookMs / 1_000).toFixed(1)} s`);

async function queuedNow(): Promise<number> {
  const { code, out, err } = await fleet("jobs", "--state", "queued", "--limit", "100000", "--json");
  expect(code, err).toBe(0);
  return Listed.parse(JSON.parse(out)).jobs.length;
}

beforeAll(async () => {
  home = await openHome();
  folder = await mkdtemp(join(tmpdir(), "fleetwright-many-"));
  const dry = join(folder, "ec2.json");
  await writeFile(dry, JSON.stringify({ capacity: { "*/*/*": 0 } }));
  cloud = start(["local", "--ec2", dry], { home: home.path });
  await cloud.says(/end with Ctrl-C/, 120_000);
}, 180_000);

afterAll(async () => {
  cloud.interrupt();
  await cloud.ended;
  await home.close();
  await rm(folder, { recursive: true });
});

it("two thousand jobs can be submitted from one file, listed within 5 s and cancelled within 60 s", { timeout: 600_000 }, async () => {
  const file = join(folder, "sweep.jsonl");
  const lines = Array.from({ length: total }, (_, n) =>
    JSON.stringify({ id: `sweep-${n}`, command: ["python", "train.py", `--seed=${n}`] }),
  );
  await writeFile(file, `${lines.join("\n")}\n`);

  const submitted = await fleet("submit", file);
  expect(submitted.code, submitted.err).toBe(0);
  expect(submitted.out.trim().split("\n")).toHaveLength(total);
  measured(`${total} jobs submitted`, submitted);
  for (const deadline = performance.now() + 300_000; (await queuedNow()) < total; ) {
    expect(performance.now(), "the jobs were not queued in time").toBeLessThan(deadline);
    await pause(2_000);
  }

  const listed = await fleet("jobs", "--limit", String(total));
  expect(listed.code, listed.err).toBe(0);
  expect(listed.out.trim().split("\n")).toHaveLength(total + 1);
  measured(`${total} jobs listed`, listed);

  const cancelled = await fleet("cancel", "--state", "queued", "--name", "sweep-*", "--reason", "the wrong sweep");
  expect(cancelled.code, cancelled.err).toBe(0);
  expect(cancelled.out).toBe(`${total} jobs of team research cancelled\n`);
  measured(`${total} jobs cancelled`, cancelled);

  expect(await queuedNow()).toBe(0);
  expect(listed.tookMs).toBeLessThan(longestListMs);
  expect(cancelled.tookMs).toBeLessThan(longestCancelMs);
});
