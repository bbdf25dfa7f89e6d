import { FleetError } from "../../model/fleet-error.ts";

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** Returns the time between two runs, ms. Throws the FleetError `template` for any schedule other than `rate(…)`. */
export function periodOf(expression: string): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const ms = Number(count) * (unitMs[unit ?? ""] ?? Number.NaN);
  if (!(ms > 0)) throw new FleetError("template", `The local cloud does not support the schedule ${expression}, only rate(…)`);
  return ms;
}

/** Runs at once and then once per period, until it is closed. */
export function startSchedule(expression: string, run: () => void): { close(): void } {
  const timer = setInterval(run, periodOf(expression));
  run();
  return { close: () => clearInterval(timer) };
}
