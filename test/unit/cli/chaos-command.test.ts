import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ChaosCommandOptions, chaosCommand } from "../../../lib/cli/commands/chaos.ts";
import type { Console } from "../../../lib/cli/terminal/console.ts";
import { invariants as known } from "../../../lib/sim/invariants.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-chaos-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function chaos(options: ChaosCommandOptions) {
  const out: string[] = [];
  const note: string[] = [];
  const progress: (string | undefined)[] = [];
  const console: Console = {
    out: (line) => void out.push(line),
    note: (line) => void note.push(line),
    jobLog: () => undefined,
    raw: () => undefined,
    bytes: async () => undefined,
    isTerminal: false,
    progress: (line) => void progress.push(line),
    paint: (colour, text) => `<${colour}>${text}`,
    width: 80,
  };
  return { code: await chaosCommand(options, console), out, note, progress };
}

describe("fleet chaos", () => {
  test("--list names the faults, the invariants and the bugs", async () => {
    const { code, out } = await chaos({ list: true });
    expect(code).toBe(0);
    const [faults, invariants, bugs] = [
      "Faults, and how often each strikes when it can:",
      "Invariants:",
      "Bugs that --plant inserts, and the invariant that finds each:",
    ].map((line) => out.indexOf(line));
    expect(faults).toBe(0);
    expect(out.slice(invariants, bugs)).toHaveLength(known.length + 2);
    expect(out[(invariants ?? 0) - 1]).toBe("");
    expect(out[(invariants ?? 0) + 1]).toMatch(/^ {2}1\. \S/);
    expect(out.slice((bugs ?? 0) + 1).every((line) => /^ {2}\S+ +\d+\. \S/.test(line))).toBe(true);
    expect(out.slice(1, out.indexOf("")).every((line) => /^ {2}\S+ +[\d.]+$/.test(line))).toBe(true);
  });

  test("runs that hold report their seeds and counts, and end with exit code 0", async () => {
    const { code, out, note, progress } = await chaos({ runs: 1, seed: 5 });
    expect([code, note]).toEqual([0, []]);
    expect(out[0]).toMatch(/^1 runs of \S+ in [\d.]+ \S+ \(\d+ per minute\): [\d.]+ virtual hours, \d+ events$/);
    expect(out[1]).toMatch(/^\d+ faults, [\d.]+ per run: (?:\S+ \d+(?:, )?)+$/);
    expect(out[2]).toMatch(/^jobs: (?:\d+ \w+(?:, )?)+(?:; [1-9]\d* dead letters redriven by hand)?$/);
    expect(out[3]).toMatch(/^decisions took [\d.]+ s of processor time, the longest part [\d.]+ s$/);
    expect(out[4]).toMatch(/^the largest item of the table was about \d+ KB \(limit 400 KB\): \w+ \S+$/);
    expect(out[5]).toMatch(
      /^handlers died at \d+ of \d+ points \([\d.]+ %\) of the launch and terminate paths, and at \d+ of \d+ points \([\d.]+ %\) of all flows$/,
    );
    expect(out[6]).toMatch(/^faults met \d+ of \d+ combinations with states of jobs and nodes$/);
    expect(out.slice(7)).toEqual(["", "<green>All invariants held."]);
    expect(progress.slice(-2)).toEqual(["1 of 1 runs, 0 violations", undefined]);
  });

  test("a bug that is inserted is found, once per seed, with its story and the command that repeats it", async () => {
    const { code, out, note } = await chaos({ runs: 1, seed: 1, plant: "launches-first", only: ["ec2.throttle"] });
    expect(code).toBe(1);
    expect(note).toHaveLength(1);
    expect(note[0]).toMatch(/^✗ \d\. .+: .+; again: fleet chaos --runs 1 --seed 1 --plant launches-first --only ec2\.throttle$/);
    const at = out.findIndex((line) => line.startsWith("<red>✗ "));
    expect(at).toBeGreaterThan(6);
    expect(out[at - 1]).toBe("");
    expect(out[at + 2]).toMatch(/^ {2}seed 1, after [\d.]+ virtual seconds(?:; needs .+)?$/);
    expect(out[at + 3]).toBe("  again: fleet chaos --runs 1 --seed 1 --plant launches-first --only ec2.throttle");
    expect(out.at(-1)).toBe("");
  });

  test("the violations of several runs are printed without their stories", async () => {
    const { out } = await chaos({ runs: 2, seed: 1, plant: "launches-first", only: ["ec2.throttle"] });
    expect(out.findIndex((line) => line.startsWith("<red>✗ "))).toBe(8);
  });

  test("only the named faults strike, a scenario is read from a file, and --json prints the report as one object", async () => {
    const scenario = join(folder, "mine.json");
    await writeFile(scenario, JSON.stringify({ name: "mine" }));
    const listeners = process.listenerCount("SIGINT");
    const { code, out } = await chaos({ runs: 2, seed: 5, only: ["ec2.throttle"], scenario, json: true });
    expect(code).toBe(0);
    expect(process.listenerCount("SIGINT")).toBe(listeners);
    expect(out).toHaveLength(1);
    const report = JSON.parse(out[0] ?? "") as { readonly bySeam: object };
    expect(report).toMatchObject({ runs: 2, scenario: "mine", violations: 0, seeds: { first: 5, last: 6 } });
    expect(Object.keys(report.bySeam).filter((seam) => seam !== "ec2")).toEqual([]);
  });

  test.each<[string, ChaosCommandOptions, RegExp]>([
    ["an unknown bug", { plant: "no-bug" }, /^there is no bug no-bug to insert; there are: forgets-the-queue, ends-twice, /],
    ["an unknown fault", { only: ["ec2.nothing"] }, /^there is no fault ec2\.nothing; there are: /],
    ["a scenario that is missing", { scenario: "/no/such/file" }, /^\/no\/such\/file cannot be read as JSON: /],
  ])("%s is a mistake in the command", async (_what, options, message) => {
    await expect(chaos(options)).rejects.toMatchObject({ name: "UsageError", message: expect.stringMatching(message) });
  });

  test("a scenario that is not valid is a mistake in the command, with each fault of it", async () => {
    const scenario = join(folder, "wrong.json");
    await writeFile(scenario, JSON.stringify({ colour: "red" }));
    await expect(chaos({ scenario })).rejects.toThrow(/wrong\.json is not a valid scenario:\s+.*colour/s);
    await writeFile(scenario, "[1]");
    await expect(chaos({ scenario })).rejects.toThrow(/cannot be read as JSON/);
  });
});
