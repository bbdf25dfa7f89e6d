import { admissionsContract } from "./admissions.ts";
import type { MakeLedger } from "./arrange.ts";
import { attemptsContract } from "./attempts.ts";
import { bellContract } from "./bell.ts";
import { cancellationsContract } from "./cancellations.ts";
import { capacityMemoryContract } from "./capacity-memory.ts";
import { catalogueStoreContract } from "./catalogue-store.ts";
import { decisionsContract } from "./decisions.ts";
import { fencingContract } from "./fencing.ts";
import { jobReaderContract } from "./job-reader.ts";
import { nodeLedgerContract } from "./node-ledger.ts";
import { nodeReaderContract } from "./node-reader.ts";
import { orphansContract } from "./orphans.ts";
import { outboxClaimsContract } from "./outbox-claims.ts";
import { overridesContract } from "./overrides.ts";
import { gangPlacementsContract } from "./placements-gangs.ts";
import { jobPlacementsContract } from "./placements-jobs.ts";
import { launchPlacementsContract } from "./placements-launches.ts";
import { nodePlacementsContract } from "./placements-nodes.ts";
import { rebindContract } from "./placements-rebind.ts";
import { poolRegistryContract } from "./pool-registry.ts";
import { sealingContract } from "./sealing.ts";

/** Everything that a ledger must do, port by port. */
export function ledgerContract(make: MakeLedger): void {
  bellContract(make);
  admissionsContract(make);
  cancellationsContract(make);
  jobReaderContract(make);
  sealingContract(make);
  attemptsContract(make);
  decisionsContract(make);
  jobPlacementsContract(make);
  rebindContract(make);
  gangPlacementsContract(make);
  launchPlacementsContract(make);
  nodePlacementsContract(make);
  fencingContract(make);
  capacityMemoryContract(make);
  catalogueStoreContract(make);
  overridesContract(make);
  nodeLedgerContract(make);
  nodeReaderContract(make);
  poolRegistryContract(make);
  orphansContract(make);
  outboxClaimsContract(make);
}
