import type { ChangeView, OverridesView } from "../../api/views/overrides.ts";
import { past, when } from "../terminal/duration.ts";

type Ordered = NonNullable<OverridesView["paused"]>;

/** Formats `2026-06-01 00:00:00 UTC, 2 h ago (new image)`. */
export const sinceWhen = ({ since, reason }: Pick<Ordered, "since" | "reason">, nowMs: number): string =>
  `${past(Date.parse(since), nowMs)}${reason === undefined ? "" : ` (${reason})`}`;

/** The most changes that are shown. `--json` shows all that are kept. */
const maxShownChanges = 5;

/** Returns a line for each of the last changes: `Admin/ada paused the pool at 2026-06-01 00:00:00 UTC, 2 h ago (new image)`. */
export const changeFacts = (changes: readonly ChangeView[], nowMs: number): [string, string][] =>
  changes
    .slice(0, maxShownChanges)
    .map(({ what, by, at, reason }) => ["changed", `${by} ${what} at ${sinceWhen({ since: at, reason }, nowMs)}`]);

/** Formats `paused by Admin/ada since …, 2 h ago (new image)`, or `drained until …, in 30 min by Admin/ada since …`. */
export const pausedInWords = (paused: Ordered, nowMs: number): string =>
  `${paused.until === undefined ? "paused" : `drained until ${when(Date.parse(paused.until), nowMs)}`} by ${paused.by} since ${sinceWhen(paused, nowMs)}`;

/** Formats `cordoned by Admin/ada at …, 2 h ago (slow disk)`. */
export function orderInWords({ by, until, ...ordered }: Ordered, nowMs: number): string {
  const order = until === undefined ? "cordoned" : `drained until ${when(Date.parse(until), nowMs)}`;
  return `${order} by ${by} at ${sinceWhen(ordered, nowMs)}`;
}
