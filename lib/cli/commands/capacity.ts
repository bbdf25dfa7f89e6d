import { type CapacityOutcome, planCapacity } from "../../decide/capacity-plan/plan-capacity.ts";
import { noPerformancePrices, type PerformancePrices, type PerResource, perResource } from "../../model/planning/capacity.ts";
import { loadHighs } from "../../solver/highs.ts";
import { exitCodes, UsageError } from "../invocation/exit.ts";
import { capacityLines } from "../planning/capacity-view.ts";
import { number } from "../planning/figures.ts";
import { nodeTypes } from "../planning/node-types.ts";
import type { Console } from "../terminal/console.ts";

export type CapacityOptions = Partial<PerResource> & {
  readonly types?: string | undefined;
  readonly unitPrices?: Partial<PerResource> | undefined;
  readonly perNode?: number | undefined;
  /** Percent */
  readonly headroom?: number | undefined;
  readonly waiting?: Partial<PerResource> | undefined;
  readonly shortfall?: Partial<PerResource> | undefined;
  /** ms */
  readonly budget?: number | undefined;
  readonly json?: boolean | undefined;
};

/** Prints the cheapest fleet that meets a demand. */
export async function capacity(options: CapacityOptions, console: Pick<Console, "out" | "note" | "width">): Promise<number> {
  const demand = perResource((name) => options[name] ?? 0);
  if (Object.values(demand).every((wanted) => wanted === 0))
    throw new UsageError("give a demand: --compute 1000000, --storage 200 or --bandwidth 100, or several of them");
  const types = await nodeTypes(options.types, options.unitPrices);
  const outcome = planCapacity({ demand, types, prices: pricesOf(options) }, await loadHighs(), { ms: options.budget });
  if (options.json) console.out(JSON.stringify(outcome));
  else if (outcome.kind === "planned") for (const line of capacityLines(outcome.plan, console.width)) console.out(line);
  else console.note(`fleet: ${whyNone(outcome, demand)}`);
  return outcome.kind === "planned" ? exitCodes.ok : exitCodes.failed;
}

function pricesOf({ perNode = 0, headroom = 0, waiting = {}, shortfall = {} }: CapacityOptions): PerformancePrices {
  if (headroom > 0 && Object.keys(waiting).length === 0)
    throw new UsageError("--headroom needs a price for what falls into it: --headroom 20 --waiting compute=5");
  if (headroom === 0 && Object.keys(waiting).length > 0)
    throw new UsageError("--waiting needs a headroom: --headroom 20 --waiting compute=5");
  const { waiting: noWaiting, shortfall: noShortfall } = noPerformancePrices;
  return { perNode, headroom: headroom / 100, waiting: { ...noWaiting, ...waiting }, shortfall: { ...noShortfall, ...shortfall } };
}

function whyNone(outcome: Exclude<CapacityOutcome, { kind: "planned" }>, demand: PerResource): string {
  switch (outcome.kind) {
    case "impossible":
      return `no fleet of these types meets the demand: ${outcome.short
        .map(({ name, most }) => `at most ${number(most)} of ${name} is available, and the demand is ${number(demand[name])}`)
        .join("; ")}; allow more nodes (most), add a type, or price unmet demand with --shortfall`;
    case "endless":
      return "there is no cheapest fleet: a type has a negative cost, so buying it without end would always be cheaper";
    case "unanswered":
      return `no fleet was found (${outcome.reason}); allow more time with --budget`;
  }
}
