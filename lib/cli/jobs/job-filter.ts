import { type JobState, jobStates } from "../../model/job.ts";
import type { JobFilter } from "../../ports/jobs.ts";
import { UsageError } from "../invocation/exit.ts";
import { secondsOf } from "../terminal/duration.ts";

/** Options that select jobs, as the user gave them. */
export type FilterOptions = {
  /** One state, or several separated by commas. */
  readonly state?: string | undefined;
  readonly name?: string | undefined;
  readonly pool?: string | undefined;
  readonly since?: string | undefined;
  readonly before?: string | undefined;
};

/** Returns the filter that the options describe. Throws a UsageError if one is invalid. `statesOf` gives the states for `--state`. */
export function filterOf(options: FilterOptions, nowMs: number, statesOf = statesNamed): JobFilter {
  const { name, pool, state } = options;
  if (name !== undefined && !/^[A-Za-z0-9._*?-]{1,100}$/.test(name))
    throw new UsageError(
      `--name ${name}: a pattern may contain the characters of ids, * for any characters and ? for one; quote it for your shell`,
    );
  return {
    states: state === undefined ? undefined : statesOf(state),
    name,
    pool,
    sinceMs: momentOf("--since", options.since, nowMs),
    beforeMs: momentOf("--before", options.before, nowMs),
  };
}

function statesNamed(text: string): readonly JobState[] {
  return text.split(",").map((name) => {
    const state = jobStates.find((each) => each === name.trim());
    if (state === undefined) throw new UsageError(`there is no state ${name}; there are: ${jobStates.join(", ")}`);
    return state;
  });
}

/** Parses a time: `2h` means two hours ago; or ISO 8601, in the user's time zone if it names none. */
function momentOf(option: string, text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const seconds = secondsOf(text);
  if (seconds !== undefined) return nowMs - seconds * 1_000;
  const atMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs))
    throw new UsageError(`${option} ${text}: expected how long ago (90s, 45m, 2h, 3d) or a time, for example 2026-06-01T12:00Z`);
  return atMs;
}
