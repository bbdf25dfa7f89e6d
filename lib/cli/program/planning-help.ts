import { join } from "node:path";
import { NodeTypeColumns } from "../../../events/tables/node-type.ts";
import { OpenbPodColumns, PlanJobColumns } from "../../../events/tables/plan-job.ts";
import { PlanNodeColumns, PlanOfferColumns } from "../../../events/tables/plan-offer.ts";
import { callerFolder } from "../invocation/caller-folder.ts";
import { packageRoot } from "../invocation/folders.ts";
import { pathFrom } from "../invocation/invocation.ts";
import { columnLines, columnsOf } from "../planning/columns.ts";

/** Returns the path of an example table that ships, relative to the user's folder. */
const sample = (name: string): string => pathFrom(callerFolder(process.env, process.cwd()), join(packageRoot, "events", "planning", name));

/** The help of `fleet capacity` after its options. */
export const capacityHelp = (): string => `
Minimises f + g: the cost of the nodes plus the loss in performance, both in dollars. Also prints a bound that no fleet can beat, and
the price of one more unit.

Examples:
  fleet capacity --compute 1000000
  fleet capacity --compute 64 --storage 2000 --types ${sample("node-types.csv")}
  fleet capacity --compute 1000000 --headroom 20 --waiting compute=5 --per-node 10

A file of types has these columns (or, as JSON, a list of objects with these fields):
${columnLines(NodeTypeColumns)}`;

/** The help of `fleet plan` after its options. */
export const planHelp = (): string => `
Launches nothing, and needs no deployment. Also prints a bound that no plan for the same jobs can beat. A job that names the node on
which it runs stays there, unless the node costs more than its jobs would cost elsewhere, including what they lose by a restart.

Examples:
  fleet plan --jobs ${sample("jobs.csv")} --offers ${sample("offers.csv")}
  fleet plan --jobs ${sample("jobs.csv")} --offers ${sample("offers.csv")} --nodes ${sample("nodes.csv")} --explain notebook#1
  fleet plan --jobs pods.csv.gz --offers offers.csv --max-usd 20 --json | jq .gap

All files are CSV with a header, or JSON: a list of objects with these fields.

Jobs:
${columnLines(PlanJobColumns)}
or the columns of the pod lists of Alibaba's GPU trace ("openb"): ${columnsOf(OpenbPodColumns).join(", ")}

Offers:
${columnLines(PlanOfferColumns)}

Nodes:
${columnLines(PlanNodeColumns)}`;
