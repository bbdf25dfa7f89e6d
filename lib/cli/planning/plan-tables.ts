import { OpenbPodColumns, OpenbPodRow, type PlanJob, PlanJobColumns, PlanJobRow } from "../../../events/tables/plan-job.ts";
import {
  type PlanNode,
  PlanNodeColumns,
  PlanNodeRow,
  type PlanOffer,
  PlanOfferColumns,
  PlanOfferRow,
} from "../../../events/tables/plan-offer.ts";
import type { TableKind } from "./read-table.ts";

const id = (row: { readonly id: string }): string => row.id;

/** Tables of jobs: in this command's own format, or in that of the pod lists of a public trace. */
export const jobTables: readonly [TableKind<PlanJob>, ...TableKind<PlanJob>[]] = [
  { noun: "job", columns: PlanJobColumns, row: PlanJobRow, key: id },
  { noun: "pod", columns: OpenbPodColumns, row: OpenbPodRow, key: id },
];
export const offerTable: TableKind<PlanOffer> = {
  noun: "offer",
  columns: PlanOfferColumns,
  row: PlanOfferRow,
  key: ({ instanceType, zone, market }) => `${instanceType}/${zone}/${market}`,
};
export const nodeTable: TableKind<PlanNode> = { noun: "node", columns: PlanNodeColumns, row: PlanNodeRow, key: id };
