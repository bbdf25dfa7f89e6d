import type { Ports } from "../../ports/ports.ts";

/** The ports whose data is in the table. */
export type LedgerPorts = Pick<
  Ports,
  | "bell"
  | "admissions"
  | "cancellations"
  | "jobLookup"
  | "jobReader"
  | "sealing"
  | "decisions"
  | "overrides"
  | "placements"
  | "capacity"
  | "catalogues"
  | "nodeLedger"
  | "nodeReader"
  | "registry"
  | "orphans"
  | "outboxClaims"
>;

/** A method of the ledger, such as `placements.bind`. */
export type LedgerMethod = { [P in keyof LedgerPorts]: `${P}.${keyof LedgerPorts[P] & string}` }[keyof LedgerPorts];
