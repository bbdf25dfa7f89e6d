import pMap from "p-map";
import { whatWentWrong } from "../invocation/exit.ts";
import { couldNotCheck, type Finding, type FindingSeverity, type ReadFact } from "./findings/finding.ts";

/** A check: what it reads, and what it finds in it. */
export type Check = {
  /** Stable. The codes of its findings begin with it. */
  readonly check: string;
  readonly title: string;
  readonly find: () => Promise<readonly Finding[]>;
};

/** `severity`: the worst of the findings; `ok` if there are none. */
export type CheckReport = {
  readonly check: string;
  readonly title: string;
  readonly severity: "ok" | FindingSeverity;
  readonly findings: readonly Finding[];
};

/** Checks that run at a time. AWS allows an account only a few of these calls per second. */
const atOnce = 4;
/** Calls that one check makes at a time. */
export const callsAtOnce = 4;
/** How long a check may take, with all its calls and their repetitions. */
const longestMs = 60_000;

/** Runs the checks and reports them in their order. A check that throws, or takes too long, could not be made; the others go on. */
export const runChecks = (checks: readonly Check[], limitMs = longestMs): Promise<CheckReport[]> =>
  pMap(checks, (check) => runCheck(check, limitMs), { concurrency: atOnce });

async function runCheck({ check, title, find }: Check, limitMs: number): Promise<CheckReport> {
  const fact = await factOf(() => within(find(), limitMs));
  return reportOf({ check, title }, "value" in fact ? fact.value : [couldNotCheck(check, fact.unknown)]);
}

export const reportOf = ({ check, title }: Pick<Check, "check" | "title">, findings: readonly Finding[]): CheckReport => ({
  check,
  title,
  severity: worstOf(findings),
  findings,
});

/** What could not be checked is worse than a warning, because it may be an error. */
const worstOf = (findings: readonly Finding[]): CheckReport["severity"] =>
  (["error", "unchecked", "warning"] as const).find((severity) => findings.some((finding) => finding.severity === severity)) ?? "ok";

/** Reads a fact, or why it cannot be read. */
export async function factOf<T>(read: () => Promise<T>): Promise<ReadFact<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    return { unknown: whatWentWrong(error) };
  }
}

async function within<T>(work: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${limitMs / 1_000} s`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Counts findings by severity, and checks without any as `ok`. */
export function countsOf(reports: readonly CheckReport[]): Readonly<Record<CheckReport["severity"], number>> {
  const all = reports.flatMap(({ findings }) => findings);
  const count = (severity: FindingSeverity): number => all.filter((finding) => finding.severity === severity).length;
  return {
    ok: reports.filter(({ severity }) => severity === "ok").length,
    warning: count("warning"),
    unchecked: count("unchecked"),
    error: count("error"),
  };
}
