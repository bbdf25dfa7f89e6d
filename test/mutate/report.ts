import { diffOf, type Mutant } from "./mutant.ts";
import type { Verdict } from "./trial.ts";

export type Result = {
  readonly mutant: Mutant;
  readonly verdict: Verdict | { readonly kind: "equivalent"; readonly because: string };
  readonly seconds: number;
};

/** Returns the lines about one mutant. Those of a survivor show what was changed. */
export function lineOf({ mutant, verdict, seconds }: Result): readonly string[] {
  const head = `${verdict.kind.replace("-", " ").padEnd(11)} ${mutant.operator.padEnd(13)} ${mutant.path}:${mutant.line} (${seconds.toFixed(0)} s)`;
  switch (verdict.kind) {
    case "killed":
      return [`${head} by ${verdict.file}: ${verdict.by}`];
    case "equivalent":
      return [`${head}: ${verdict.because}`];
    case "refused":
      return [head];
    case "timed-out":
    case "survived":
      return [head, ...diffOf(mutant).map((line) => `    ${line}`)];
  }
}

/** Returns the figures of all mutants. The score leaves out the refused and the equivalent ones. */
export function summaryOf(results: readonly Result[]): readonly string[] {
  const count = (kind: Result["verdict"]["kind"]): number => results.filter(({ verdict }) => verdict.kind === kind).length;
  const [killed, late, survived] = [count("killed"), count("timed-out"), count("survived")];
  const all = killed + late + survived;
  const operators = [...Map.groupBy(results, ({ mutant }) => mutant.operator)].map(([operator, of]) => {
    const counted = of.filter(({ verdict }) => !["refused", "equivalent"].includes(verdict.kind));
    return `${operator} ${counted.filter(({ verdict }) => verdict.kind !== "survived").length}/${counted.length}`;
  });
  return [
    "",
    `killed ${killed}, timed out ${late}, survived ${survived}, equivalent ${count("equivalent")}, refused ${count("refused")}`,
    `by operator: ${operators.toSorted().join(", ")}`,
    `score: ${all === 0 ? "none" : `${((100 * (killed + late)) / all).toFixed(0)} %`} of ${all}`,
    ...results.filter(({ verdict }) => verdict.kind === "survived").flatMap((result) => ["", ...lineOf(result)]),
  ];
}
