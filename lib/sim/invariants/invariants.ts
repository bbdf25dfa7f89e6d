import { budgets } from "./budgets.ts";
import type { Invariant } from "./invariant.ts";
import { jobsEndOnce } from "./jobs-end-once.ts";
import { ledgerAndFleet } from "./ledger-and-fleet.ts";
import { leftAlone } from "./left-alone.ts";
import { limits } from "./limits.ts";
import { noBusyNodeEnded } from "./no-busy-node-ended.ts";
import { oneAttempt } from "./one-attempt.ts";
import { prompt } from "./prompt.ts";
import { recovers } from "./recovers.ts";
import { room } from "./room.ts";
import { samePlan } from "./same-plan.ts";
import { sealed } from "./sealed.ts";
import { shardsHeld } from "./shards-held.ts";
import { zero } from "./zero.ts";

/** All invariants, by number. */
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
  prompt,
  leftAlone,
  budgets,
  room,
  recovers,
];
