import { brake, spaced } from "./invariants/brake.ts";
import { budgets } from "./invariants/budgets.ts";
import { charges } from "./invariants/charges.ts";
import type { Invariant } from "./invariants/invariant.ts";
import { jobsEndOnce } from "./invariants/jobs-end-once.ts";
import { ledgerAndFleet } from "./invariants/ledger-and-fleet.ts";
import { leftAlone } from "./invariants/left-alone.ts";
import { limits } from "./invariants/limits.ts";
import { needed } from "./invariants/needed.ts";
import { noBusyNodeEnded } from "./invariants/no-busy-node-ended.ts";
import { oneAttempt } from "./invariants/one-attempt.ts";
import { ownFaults } from "./invariants/own-faults.ts";
import { prompt } from "./invariants/prompt.ts";
import { recovers } from "./invariants/recovers.ts";
import { room } from "./invariants/room.ts";
import { samePlan } from "./invariants/same-plan.ts";
import { sealed } from "./invariants/sealed.ts";
import { shardsHeld } from "./invariants/shards-held.ts";
import { awake } from "./invariants/timely/awake.ts";
import { elsewhere } from "./invariants/timely/elsewhere.ts";
import { explained } from "./invariants/timely/explained.ts";
import { informed } from "./invariants/timely/informed.ts";
import { outboxes } from "./invariants/timely/outboxes.ts";
import { resealed } from "./invariants/timely/resealed.ts";
import { turns } from "./invariants/turns.ts";
import { zero } from "./invariants/zero.ts";

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
  ownFaults,
  needed,
  informed,
  awake,
  charges,
  turns,
  elsewhere,
  brake,
  spaced,
  explained,
  resealed,
  outboxes,
];
