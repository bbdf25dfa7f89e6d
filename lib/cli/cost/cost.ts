import { join } from "node:path";
import { synthesize } from "../../local/synthesize.ts";
import { readTemplate } from "../../local/template/template.ts";
import { asMeant } from "../invocation/caller-folder.ts";
import { exitCodes, UsageError } from "../invocation/exit.ts";
import { cloudFolder, makeWritable, packageRoot } from "../invocation/folders.ts";
import { commandLine } from "../invocation/invocation.ts";
import { dollars, rounded } from "../terminal/amount.ts";
import type { Console } from "../terminal/console.ts";
import { tableLines } from "../terminal/table.ts";
import { type Bill, idleBill } from "./idle-bill.ts";

export type CostOptions = {
  readonly idle?: boolean | undefined;
  /** A configuration file; undefined for that of `cdk deploy`. */
  readonly config?: string | undefined;
  readonly json?: boolean | undefined;
};

/** Prints what a deployment of the configuration costs in a month in which it does nothing. It reads the synthesized template, and calls no service. */
export async function cost({ idle, config, json }: CostOptions, console: Pick<Console, "out" | "note" | "width">): Promise<number> {
  if (!idle)
    throw new UsageError("say which cost: --idle shows what the deployment costs while it does nothing, and --control what its work costs");
  await makeWritable(cloudFolder);
  const configuration = config === undefined ? join(packageRoot, "cdk", "fleet.config.ts") : asMeant(config);
  const assembly = await synthesize({ folder: cloudFolder, configuration, log: ({ message }) => console.note(message) });
  const bill = idleBill((await readTemplate(assembly, "Fleetwright")).Resources);
  for (const line of json ? [JSON.stringify(bill)] : billLines(bill, console.width)) console.out(line);
  return exitCodes.ok;
}

/** Returns the lines of a bill. */
export function billLines({ items, usd, unpriced }: Bill, width: number): readonly string[] {
  const rows = [
    ...items.map(({ what, count, usd: each }) => ({ what, count: rounded(count), usd: each })),
    { what: "in all", count: "", usd },
  ];
  const table = tableLines(
    rows,
    [
      { title: "ITEM", of: ({ what }) => what, yields: true },
      { title: "COUNT", of: ({ count }) => count, align: "right" },
      { title: "USD A MONTH", of: (row) => dollars(row.usd), align: "right" },
    ],
    { empty: "nothing costs anything", width },
  );
  return [
    ...table,
    "",
    `List prices of us-east-1, without free tiers. Jobs (${commandLine("cost", "--control")}), stored files and logs, and calls of people are not included.`,
    "Each key costs $1.00 a month more from its first yearly rotation on, and again from its second.",
    ...(unpriced.length > 0 ? [`The price of ${unpriced.join(", ")} is not known, so the sum may be too low.`] : []),
  ];
}
