import type { Coverage, Report } from "../../sim/report.ts";
import type { Paint } from "../terminal/console.ts";
import { duration } from "../terminal/duration.ts";

type Words = (colour: Paint, text: string) => string;

/** A report for people. `withStory`: the last things that happened before each violation, too. */
export function reportLines(report: Report, paint: Words, withStory: boolean): string[] {
  const { runs, faults, faultsPerRun, events, virtualHours, wallMs, runsPerMinute, coverage } = report;
  const seams = Object.entries(report.bySeam).map(([seam, count]) => `${seam} ${count}`);
  const jobs = Object.entries(report.jobs).map(([state, count]) => `${count} ${state}`);
  return [
    `${runs} runs of ${report.scenario} in ${duration(wallMs)} (${runsPerMinute} a minute): ${virtualHours} virtual hours, ${events} events`,
    `${faults} faults, ${faultsPerRun} a run: ${seams.join(", ")}`,
    `jobs: ${jobs.join(", ")}${report.redriven > 0 ? `; ${report.redriven} dead letters tried again by hand` : ""}`,
    `handlers died at ${covered(coverage.launchAndTerminate)} of the launch and terminate paths, and at ${covered(coverage.all)} of all flows`,
    "",
    ...(report.violations === 0
      ? [paint("green", "Everything held.")]
      : report.found.flatMap((found) => foundLines(found, paint, withStory))),
  ];
}

const covered = ({ hit, points, percent }: Coverage): string => `${hit} of ${points} points (${percent} %)`;

function foundLines(found: Report["found"][number], paint: Words, withStory: boolean): string[] {
  const { number, name, says } = found.invariant;
  return [
    ...(withStory ? [...found.story, ""] : []),
    paint("red", `✗ ${number}. ${name}: ${found.wrong}`),
    `  ${says}`,
    `  seed ${found.seed}, after ${found.atSecond.toFixed(1)} virtual seconds${found.needs ? `; it takes ${found.needs.join(", ") || "no fault at all"}` : ""}`,
    `  again: ${found.replay}`,
    "",
  ];
}
