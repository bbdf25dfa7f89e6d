/** One figure of a benchmark, with those to which it is compared. */
export type Row = {
  readonly case: string;
  readonly metric: string;
  readonly unit: string;
  readonly value: number;
  readonly rivals: Readonly<Record<string, number>>;
  /** The best possible value; undefined if it is not known. */
  readonly limit?: number;
  readonly target?: number;
  readonly better: "lower" | "higher";
};

/** `notes`: lines that are shown below the figures. */
export type Report = {
  readonly bench: string;
  readonly seeds: number;
  readonly rows: readonly Row[];
  readonly notes?: readonly string[];
};

const reached = ({ value, target, better }: Row): boolean =>
  target === undefined || (better === "lower" ? value <= target : value >= target);

/** Returns the report as one JSON object. `ok` is true if every row with a target reached it. */
export const reportJson = (report: Report, wallMs: number) => ({
  ...report,
  rows: report.rows.map((row) => ({ ...row, reached: reached(row) })),
  ok: report.rows.every(reached),
  wallMs: Math.round(wallMs),
  peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
});
