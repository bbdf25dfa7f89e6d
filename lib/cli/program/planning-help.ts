import { join } from "node:path";
import { NodeTypeColumns } from "../../../events/tables/node-type.ts";
import { OpenbPodColumns, PlanJobColumns } from "../../../events/tables/plan-job.ts";
import { PlanNodeColumns, PlanOfferColumns } from "../../../events/tables/plan-offer.ts";
import { askedFrom } from "../invocation/asked-from.ts";
import { packageRoot } from "../invocation/folders.ts";
import { pathFrom } from "../invocation/invocation.ts";
import { columnLines, columnsOf } from "../planning/columns.ts";

/** A table that ships, as the user can name it from where they are. */
const sample = (name: string): string => pathFrom(askedFrom(process.env, process.cwd()), join(packageRoot, "events", "planning", name));

/** What the help of `fleet capacity` says after its options. */
export const capacityHelp = (): string => `
Minimises f + g: what the nodes cost, and what is lost in performance, in the same dollars. The answer comes with a bound that no
fleet can beat, and with the price of one unit more.

Examples:
  fleet capacity --compute 1000000
  fleet capacity --compute 64 --storage 2000 --types ${sample("node-types.csv")}
  fleet capacity --compute 1000000 --headroom 20 --waiting compute=5 --per-node 10

A file of types has these columns (or, as JSON, a list of objects with these fields):
${columnLines(NodeTypeColumns)}`;

/** What the help of `fleet plan` says after its options. */
export const planHelp = (): string => `
Nothing is launched and no deployment is needed. The plan comes with a bound that no plan for the same jobs can beat. Jobs that say on
which node they run stay there, unless that node's price is more than they cost elsewhere, with what they lose by starting anew.

Examples:
  fleet plan --jobs ${sample("jobs.csv")} --offers ${sample("offers.csv")}
  fleet plan --jobs ${sample("jobs.csv")} --offers ${sample("offers.csv")} --nodes ${sample("nodes.csv")} --explain notebook#1
  fleet plan --jobs pods.csv.gz --offers offers.csv --max-usd 20 --json | jq .gap

All files are CSV with a header, or JSON: a list of objects with these fields.

Jobs:
${columnLines(PlanJobColumns)}
or as the pod lists of Alibaba's GPU trace ("openb") have them: ${columnsOf(OpenbPodColumns).join(", ")}

Offers:
${columnLines(PlanOfferColumns)}

Nodes:
${columnLines(PlanNodeColumns)}`;
