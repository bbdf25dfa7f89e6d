import type { Invariant } from "./invariant.ts";
import { jobsEndOnce } from "./invariants/jobs-end-once.ts";
import { ledgerAndFleet } from "./invariants/ledger-and-fleet.ts";
import { limits } from "./invariants/limits.ts";
import { noBusyNodeEnded } from "./invariants/no-busy-node-ended.ts";
import { oneAttempt } from "./invariants/one-attempt.ts";
import { samePlan } from "./invariants/same-plan.ts";
import { sealed } from "./invariants/sealed.ts";
import { shardsHeld } from "./invariants/shards-held.ts";
import { zero } from "./invariants/zero.ts";

/** What must hold, always, in the order of the design. */
export const invariants: readonly Invariant[] = [
  jobsEndOnce,
  oneAttempt,
  noBusyNodeEnded,
  ledgerAndFleet,
  limits,
  shardsHeld,
  sealed,
  samePlan,
  zero,
];
