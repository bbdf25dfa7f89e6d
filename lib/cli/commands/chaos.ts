import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import * as z from "zod";
import { checked, linesOf } from "../../../events/checked.ts";
import { decoded } from "../../model/files/decoded.ts";
import { bugNamed, bugs } from "../../sim/bugs.ts";
import { type FaultKind, faultKinds, usualRates } from "../../sim/faults/faults.ts";
import { type StateMet, statesMet } from "../../sim/faults/reached.ts";
import { readSites } from "../../sim/faults/sites.ts";
import { invariants } from "../../sim/invariants.ts";
import { type ChaosReport, type Coverage, reportOf } from "../../sim/report.ts";
import type { FailingSeed } from "../../sim/tally.ts";
import { Scenario } from "../../sim/world/scenario.ts";
import { runThreads } from "../chaos/threads.ts";
import { asMeant } from "../invocation/caller-folder.ts";
import { exitCodes, UsageError, whatWentWrong } from "../invocation/exit.ts";
import { bareCommandLine } from "../invocation/invocation.ts";
import type { Console, Paint } from "../terminal/console.ts";
import { duration } from "../terminal/duration.ts";
import { type Column, tableLines } from "../terminal/table.ts";

export type ChaosCommandOptions = {
  readonly runs?: number | undefined;
  readonly seed?: number | undefined;
  readonly scenario?: string | undefined;
  readonly only?: readonly string[] | undefined;
  readonly threads?: number | undefined;
  readonly plant?: string | undefined;
  readonly list?: boolean | undefined;
  readonly reached?: boolean | undefined;
  readonly json?: boolean | undefined;
};

/** The first seed by default. */
const usualSeed = 1;
const usualRuns = 200;

/** Does chaos runs and prints a report. Ctrl-C ends it with the report so far; a second one exits at once. */
export async function chaosCommand(options: ChaosCommandOptions, console: Console): Promise<number> {
  if (options.list) {
    for (const line of listLines()) console.out(line);
    return exitCodes.ok;
  }
  const bug = options.plant === undefined ? undefined : knownBug(options.plant);
  const only = options.only?.map(knownFault);
  const scenario = await scenarioOf(options.scenario, bug?.scenario);
  const first = options.seed ?? usualSeed;
  const { runs = usualRuns, threads = 1 } = options;
  const abort = new AbortController();
  const onSignal = (): void => (abort.signal.aborted ? process.exit(exitCodes.interrupted) : abort.abort());
  process.on("SIGINT", onSignal);
  // The sites are read before the runs, because runs may take hours, during which the user may edit the flows.
  const sites = readSites();
  const startedMs = performance.now();
  const reportNew = oncePerSeed(({ seed, invariant, wrong }) =>
    console.note(`✗ ${invariant.number}. ${invariant.name}: ${wrong}; again: ${replayOf(seed, options)}`),
  );
  const tally = await runThreads({ scenario, first, runs, only, bug: bug?.name }, Math.min(threads, runs), {
    signal: abort.signal,
    far: ({ runs: done, found }) => {
      reportNew(found);
      console.progress(`${done} of ${runs} runs, ${found.length} violations`);
    },
  });
  process.off("SIGINT", onSignal);
  console.progress(undefined);
  const report = reportOf(tally, {
    scenario: scenario.name,
    seeds: { first, last: first + runs - 1 },
    sites,
    wallMs: performance.now() - startedMs,
    replay: (seed) => replayOf(seed, options),
  });
  if (options.json) console.out(JSON.stringify(report));
  else for (const line of reportLines(report, console.paint, { story: runs === 1, reached: options.reached })) console.out(line);
  if (report.violations > 0) return exitCodes.failed;
  return abort.signal.aborted ? exitCodes.interrupted : exitCodes.ok;
}

/** Prints each violation once and as soon as it is known, so that a long run that is killed has printed what it found. */
function oncePerSeed(report: (found: FailingSeed) => void): (all: readonly FailingSeed[]) => void {
  const reported = new Set<number>();
  return (all) => {
    for (const found of all) {
      if (reported.has(found.seed)) continue;
      reported.add(found.seed);
      report(found);
    }
  };
}

/** Returns the command that repeats the run of a seed and prints its events. */
const replayOf = (seed: number, { scenario, plant, only }: ChaosCommandOptions): string =>
  bareCommandLine(
    ...["chaos", "--runs", "1", "--seed", String(seed)],
    ...(scenario === undefined ? [] : ["--scenario", scenario]),
    ...(plant === undefined ? [] : ["--plant", plant]),
    ...(only ?? []).flatMap((kind) => ["--only", kind]),
  );

function knownBug(name: string) {
  const bug = bugNamed(name);
  if (!bug) throw new UsageError(`there is no bug ${name} to insert; there are: ${bugs.map((each) => each.name).join(", ")}`);
  return bug;
}

function knownFault(name: string): FaultKind {
  const kind = faultKinds.find((each) => each === name);
  if (!kind) throw new UsageError(`there is no fault ${name}; there are: ${faultKinds.join(", ")}`);
  return kind;
}

const shipped = join(import.meta.dirname, "..", "..", "sim", "scenarios");

/** Returns the names of the scenarios that ship with the project. */
const shippedScenarios = (): readonly string[] => ["standard", ...readdirSync(shipped).map((file) => basename(file, ".json"))].sort();

/** Returns the scenario of this name, or in this file. */
async function scenarioOf(file: string | undefined, over: Record<string, unknown> = {}): Promise<Scenario> {
  const given = await scenarioJson(file);
  const scenario = checked(Scenario, { ...given, ...over });
  if (scenario.kind === "good") return scenario.value;
  throw new UsageError(`${file ?? "the scenario"} is not a valid scenario:${linesOf(scenario.wrong)}`);
}

async function scenarioJson(file: string | undefined): Promise<object> {
  if (file === undefined || file === "standard") return {};
  const isName = /^[a-z][a-z0-9-]*$/.test(file);
  if (isName && shippedScenarios().includes(file)) return readJson(join(shipped, `${file}.json`), file);
  if (isName && !existsSync(asMeant(file)))
    throw new UsageError(`there is no scenario ${file}; there are ${shippedScenarios().join(", ")}, or name a JSON file`);
  return readJson(asMeant(file), file);
}

async function readJson(path: string, name: string): Promise<object> {
  try {
    return z.looseObject({}).parse(JSON.parse(decoded(await readFile(path))));
  } catch (error) {
    throw new UsageError(`${name} cannot be read as JSON: ${whatWentWrong(error)}`, { cause: error });
  }
}

const listLines = (): string[] => [
  "Faults, and how often each strikes when it can:",
  ...faultKinds.map((kind) => `  ${kind.padEnd(22)} ${usualRates[kind]}`),
  "",
  `Scenarios: ${shippedScenarios().join(", ")}`,
  "",
  "Invariants:",
  ...invariants.map(({ number, says }) => `  ${number}. ${says}`),
  "",
  "Bugs that --plant inserts, and the invariant that finds each:",
  ...bugs.map(({ name, breaks, says }) => `  ${name.padEnd(22)} ${breaks}. ${says}`),
];

type Words = (colour: Paint, text: string) => string;

/** What a report for people has besides the usual: the last events before each violation, and the states that faults met. */
type More = { readonly story: boolean; readonly reached?: boolean | undefined };

/** Returns a report for people. */
function reportLines(report: ChaosReport, paint: Words, { story, reached }: More): string[] {
  const { runs, faults, faultsPerRun, events, virtualHours, wallMs, runsPerMinute, coverage } = report;
  const seams = Object.entries(report.bySeam).map(([seam, count]) => `${seam} ${count}`);
  const jobs = Object.entries(report.jobs).map(([state, count]) => `${count} ${state}`);
  return [
    `${runs} runs of ${report.scenario} in ${duration(wallMs)} (${runsPerMinute} per minute): ${virtualHours} virtual hours, ${events} events`,
    `${faults} faults, ${faultsPerRun} per run: ${seams.join(", ")}`,
    `jobs: ${jobs.join(", ")}${report.redriven > 0 ? `; ${report.redriven} dead letters redriven by hand` : ""}`,
    `decisions took ${report.decisionCpuSeconds.total} s of processor time, the longest part ${report.decisionCpuSeconds.longest} s`,
    `the largest item of the table was about ${Math.ceil(report.largestItem.bytes / 1024)} KB (limit 400 KB): ${report.largestItem.what}`,
    `handlers died at ${covered(coverage.launchAndTerminate)} of the launch and terminate paths, and at ${covered(coverage.all)} of all flows`,
    `faults met ${faultKinds.length * statesMet.length - report.missed.length} of ${faultKinds.length * statesMet.length} combinations with states of jobs and nodes`,
    ...(reached ? ["", ...reachedLines(report)] : []),
    "",
    ...(report.violations === 0
      ? [paint("green", "All invariants held.")]
      : report.found.flatMap((found) => foundLines(found, paint, story))),
  ];
}

/** Returns a table of faults and states. A dash means that no run has reached the combination. */
function reachedLines({ reached }: ChaosReport): string[] {
  const ofState = (state: StateMet): Column<FaultKind> => ({
    title: state,
    of: (kind) => String(reached[kind]?.[state] ?? "-"),
    align: "right",
  });
  return tableLines(faultKinds, [{ title: "fault", of: (kind) => kind }, ...statesMet.map(ofState)], "there are no faults");
}

const covered = ({ hit, points, percent }: Coverage): string => `${hit} of ${points} points (${percent} %)`;

function foundLines(found: ChaosReport["found"][number], paint: Words, withStory: boolean): string[] {
  const { number, name, says } = found.invariant;
  return [
    ...(withStory ? [...found.story, ""] : []),
    paint("red", `✗ ${number}. ${name}: ${found.wrong}`),
    `  ${says}`,
    `  seed ${found.seed}, after ${found.atSecond.toFixed(1)} virtual seconds${found.needs ? `; needs ${found.needs.join(", ") || "no fault at all"}` : ""}`,
    `  again: ${found.replay}`,
    "",
  ];
}
