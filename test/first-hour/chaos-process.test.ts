import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChaosReport } from "../../lib/sim/report.ts";

const root = join(import.meta.dirname, "..", "..");
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleetwright-chaos-"));
});
afterAll(() => rm(folder, { recursive: true }));

type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

function start(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [join(root, "lib", "cli", "fleet.ts"), "chaos", ...args], { cwd: folder });
  const output = { out: "", err: "" };
  child.stdout.on("data", (data) => {
    output.out += data;
  });
  child.stderr.on("data", (data) => {
    output.err += data;
  });
  return { child, ended: new Promise((resolve) => child.once("close", (code) => resolve({ code, ...output }))) };
}
const fleet = (...args: readonly string[]): Promise<Ended> => start(args).ended;
const reportOf = ({ out }: Ended): ChaosReport => JSON.parse(out);
const timeless = ({ wallMs: _wall, runsPerMinute: _speed, decisionCpuSeconds: _cpu, ...report }: ChaosReport): object => report;

describe("fleet chaos", () => {
  test("fleet chaos counts faults by seam and the points at which handlers died, with the same result in threads", async () => {
    const [one, two] = await Promise.all([fleet("--runs", "16", "--json"), fleet("--runs", "16", "--threads", "2", "--json")]);
    expect(one).toMatchObject({ code: 0 });
    const report = reportOf(one);
    expect(report).toMatchObject({ runs: 16, violations: 0, found: [], seeds: { first: 1, last: 16 } });
    expect(report.faultsPerRun).toBeGreaterThan(20);
    expect(Object.keys(report.bySeam)).toEqual(["ec2", "lambda", "s3", "spot", "sqs", "table", "worker"]);
    const { launchAndTerminate } = report.coverage;
    expect(launchAndTerminate.hit).toBeGreaterThan(5);
    expect(launchAndTerminate.points).toBe(launchAndTerminate.hit + launchAndTerminate.missed.length);
    expect(timeless(reportOf(two))).toEqual(timeless(report));
  });

  test("fleet chaos --plant exits with 1, and prints a command that finds the bug again", async () => {
    const found = await fleet("--runs", "20", "--plant", "drops-a-shard");
    expect(found.code).toBe(1);
    expect(found.out).toMatch(/✗ 6\. every shard is held: map \d+ of/);
    expect(found.err, "the moment it is found").toMatch(/✗ 6\. every shard is held: map \d+ of .*; again: fleet chaos --runs 1 --seed \d+/);
    const [, args = ""] = /again: fleet chaos (.+)/.exec(found.out) ?? [];
    const again = await fleet(...args.split(" "));
    expect(again.code).toBe(1);
    const wrong = (text: string): string | undefined => /✗ 6\. .*/.exec(text)?.[0];
    expect(wrong(again.out)).toBe(wrong(found.out));
    expect(again.out, "with its story").toMatch(/^ +\d+\.\d{3} s {2}\S/m);
  });

  test("fleet chaos reads a scenario, and reports what is wrong with an invalid one", async () => {
    await writeFile(join(folder, "mine.json"), JSON.stringify({ name: "mine", minutes: 2, faults: { "spot.storm": 1 } }));
    await writeFile(join(folder, "wrong.json"), JSON.stringify({ minuts: 2 }));
    const [mine, wrong, none] = await Promise.all([
      fleet("--scenario", "mine.json", "--runs", "4", "--json"),
      fleet("--scenario", "wrong.json"),
      fleet("--scenario", "none.json"),
    ]);
    expect(reportOf(mine)).toMatchObject({ scenario: "mine", violations: 0 });
    expect(reportOf(mine).byFault["spot.storm"]).toBeGreaterThan(0);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("minuts") });
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining("none.json") });
  });

  test("fleet chaos lists faults, invariants and bugs, and refuses unknown ones", async () => {
    const [listed, fault, bug] = await Promise.all([fleet("--list"), fleet("--only", "ec2.nap"), fleet("--plant", "gremlin")]);
    expect(listed.out).toContain("fresh-token");
    expect(listed.out).toContain("ec2.lost-answer");
    expect(fault).toMatchObject({ code: 2, err: expect.stringContaining("there is no fault ec2.nap") });
    expect(bug).toMatchObject({ code: 2, err: expect.stringContaining("there is no bug gremlin") });
  });

  test("fleet chaos prints the report so far if it is interrupted", async () => {
    const { child, ended } = start(["--runs", "1000000", "--json"]);
    child.stderr?.once("data", () => child.kill("SIGINT"));
    const outcome = await ended;
    expect(outcome.code).toBe(130);
    expect(reportOf(outcome).runs).toBeGreaterThan(0);
  });
});
