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

/** Jobs, as this command has them or as the pod lists of a public trace have them. */
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
