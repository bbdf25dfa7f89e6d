import type { AddDeps } from "../../flows/add-dataset.ts";
import type { CancelManyDeps } from "../../flows/cancel-job.ts";
import type { LetterDeps } from "../../flows/redrive-letters.ts";
import type { SubmitDeps } from "../../flows/submit-job.ts";
import type { Ports } from "../../ports/ports.ts";

/** The ports and settings that the operations need. `log` receives one line per call, which never contains the call's body. */
export type ApiDeps = SubmitDeps &
  CancelManyDeps &
  AddDeps &
  LetterDeps &
  Pick<
    Ports,
    | "attemptLogs"
    | "decisionReader"
    | "decisions"
    | "jobLookup"
    | "jobReader"
    | "nodeLedger"
    | "nodeReader"
    | "overrides"
    | "poolNodes"
    | "sealing"
  > & {
    readonly fleet: { readonly name: string; readonly region: string; readonly teams: readonly string[] };
  };
