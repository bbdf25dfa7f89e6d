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

/** Returns an attempt as `fleet job --json` prints it: times in ISO 8601, money in USD. */
export const attemptJson = (attempt: Attempt, nowMs: number) => ({
  attempt: attempt.attempt,
  pool: attempt.pool,
  nodes: attempt.nodes,
  instanceType: attempt.instanceType,
  zone: attempt.zone,
  market: attempt.market,
  usdPerHour: attempt.usdPerHour,
  costUsd: Number(attemptCost(attempt, nowMs).toFixed(6)),
  placedAt: iso(attempt.placedAtMs),
  startedAt: iso(attempt.startedAtMs),
  endedAt: iso(attempt.endedAtMs),
  end: attempt.end ?? null,
  exitCode: attempt.exitCode ?? null,
  reason: attempt.reason ?? null,
});

const iso = (atMs: number | undefined): string | null => (atMs === undefined ? null : new Date(atMs).toISOString());
