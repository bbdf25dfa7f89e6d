import type { Bell } from "../../ports/bell.ts";
import type { CapacityMemory } from "../../ports/capacity.ts";
import type { Admissions, Cancellations, JobLookup, JobReader, Sealing } from "../../ports/jobs.ts";
import type { NodeLedger } from "../../ports/node-ledger.ts";
import type { NodeReader } from "../../ports/node-reader.ts";
import type { Orphans } from "../../ports/orphans.ts";
import type { CatalogueStore, Decisions, Placements } from "../../ports/pool-ledger.ts";
import type { PoolRegistry } from "../../ports/pool-registry.ts";

/** The ports whose data is in the table. */
export type LedgerPorts = {
  readonly bell: Bell;
  readonly admissions: Admissions;
  readonly cancellations: Cancellations;
  readonly jobLookup: JobLookup;
  readonly jobReader: JobReader;
  readonly sealing: Sealing;
  readonly decisions: Decisions;
  readonly placements: Placements;
  readonly capacity: CapacityMemory;
  readonly catalogues: CatalogueStore;
  readonly nodeLedger: NodeLedger;
  readonly nodeReader: NodeReader;
  readonly registry: PoolRegistry;
  readonly orphans: Orphans;
};

/** A method of the ledger, such as `placements.bind`. */
export type LedgerMethod = { [P in keyof LedgerPorts]: `${P}.${keyof LedgerPorts[P] & string}` }[keyof LedgerPorts];
