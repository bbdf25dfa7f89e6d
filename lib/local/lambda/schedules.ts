import { Fault } from "../../model/fault.ts";

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** The time between two runs, ms. Throws the Fault `template` for a schedule of another kind than `rate(…)`. */
export function periodOf(expression: string): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const ms = Number(count) * (unitMs[unit ?? ""] ?? Number.NaN);
  if (!(ms > 0)) throw new Fault("template", `The local cloud does not know the schedule ${expression}; it knows rate(…)`);
  return ms;
}

/** Runs at once and then every period, until it is closed. */
export function startSchedule(expression: string, run: () => void): { close(): void } {
  const timer = setInterval(run, periodOf(expression));
  run();
  return { close: () => clearInterval(timer) };
}
