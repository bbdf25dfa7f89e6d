import { attemptView } from "../../api/views/attempts.ts";
import { type Attempt, type AttemptEnd, attemptCost } from "../../model/history/attempt.ts";
import { dollars } from "../../model/values/amount.ts";
import type { Paint } from "../terminal/console.ts";
import { duration } from "../terminal/duration.ts";
import type { Column } from "../terminal/table.ts";
import type { Paints } from "./job-view.ts";

const colours: Readonly<Record<AttemptEnd, Paint>> = { succeeded: "green", failed: "red", cancelled: "dim", interrupted: "yellow" };

/** Returns the columns of a job's attempts. An attempt that has ended and has no end yet is waiting for its files to be sealed. */
export const attemptColumns = (nowMs: number, paint: Paints): Column<Attempt>[] => [
  { title: "ATTEMPT", of: ({ attempt }) => String(attempt), align: "right" },
  { title: "END", of: endOf, paint: (cell, { end }) => paint(end ? colours[end] : "cyan", cell) },
  { title: "RAN", of: (attempt) => ran(attempt, nowMs), align: "right" },
  { title: "COST", of: (attempt) => dollars(attemptCost(attempt, nowMs)), align: "right" },
  { title: "TYPE", of: ({ instanceType, market }) => `${instanceType} ${market}` },
  { title: "ZONE", of: ({ zone }) => zone },
  { title: "NODE", of: ({ nodes }) => (nodes.length > 1 ? `${nodes[0]} +${nodes.length - 1}` : (nodes[0] ?? "-")) },
  { title: "EXIT", of: ({ exitCode }) => exitCode?.toString() ?? "-", align: "right" },
  { title: "REASON", of: ({ reason }) => reason?.split("\n")[0] ?? "", yields: true },
];

const endOf = ({ end, endedAtMs, startedAtMs }: Attempt): string =>
  end ?? (endedAtMs !== undefined ? "sealing" : startedAtMs !== undefined ? "running" : "placed");

/** Returns how long the attempt's program ran, or "-" if it never started. */
const ran = ({ startedAtMs, endedAtMs }: Attempt, nowMs: number): string =>
  startedAtMs === undefined ? "-" : duration((endedAtMs ?? nowMs) - startedAtMs);

/** Returns an attempt as `fleet job --json` prints it: as the API returns it, but with null for what the API omits. */
export function attemptJson(attempt: Attempt, nowMs: number) {
  const { startedAt = null, endedAt = null, end = null, exitCode = null, reason = null, ...rest } = attemptView(attempt, nowMs);
  return { ...rest, startedAt, endedAt, end, exitCode, reason };
}
