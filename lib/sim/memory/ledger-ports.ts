import type { Ports } from "../../ports/ports.ts";

/** The ports whose data is in the table. */
export type Ledger = Pick<
  Ports,
  | "bell"
  | "admissions"
  | "cancellations"
  | "jobLookup"
  | "jobReader"
  | "sealing"
  | "decisions"
  | "placements"
  | "capacity"
  | "catalogues"
  | "nodeLedger"
  | "nodeReader"
  | "registry"
  | "strays"
>;

/** A method of the ledger, such as `placements.bind`. */
export type LedgerMethod = { [P in keyof Ledger]: `${P}.${keyof Ledger[P] & string}` }[keyof Ledger];
