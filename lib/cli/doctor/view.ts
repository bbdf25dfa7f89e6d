import type { Console } from "../terminal/console.ts";
import { type CheckReport, countsOf } from "./report.ts";

const marks = { ok: "ok", warning: "warning", error: "error", unchecked: "unchecked" } as const;
const colours = { ok: "green", warning: "yellow", error: "red", unchecked: "cyan" } as const;
const markWidth = Math.max(...Object.values(marks).map((mark) => mark.length));

/** Returns the lines of a report: one per sound check, and two per finding, the second with what mends it. */
export function reportLines(reports: readonly CheckReport[], paint: Console["paint"]): readonly string[] {
  const titleWidth = Math.max(...reports.map(({ title }) => title.length));
  const line = (severity: CheckReport["severity"], title: string, text: string): string =>
    `${paint(colours[severity], marks[severity].padEnd(markWidth))}  ${title.padEnd(titleWidth)}  ${text}`.trimEnd();
  const indent = " ".repeat(markWidth + titleWidth + 4);
  return reports.flatMap(({ severity, title, findings }) =>
    findings.length === 0
      ? [line(severity, title, "")]
      : findings.flatMap(({ severity: its, says, mend }) => [
          line(its, title, says),
          ...(mend === undefined ? [] : [`${indent}mend: ${mend}`]),
        ]),
  );
}

/** "2 errors, 1 warning, 1 could not be checked, 11 checks are ok" */
export function summaryOf(reports: readonly CheckReport[]): string {
  const { ok, warning, unchecked, error } = countsOf(reports);
  const many = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
  return [
    many(error, "error"),
    many(warning, "warning"),
    ...(unchecked > 0 ? [`${unchecked} could not be checked`] : []),
    `${many(ok, "check")} ${ok === 1 ? "is" : "are"} ok`,
  ].join(", ");
}
