import { type Announcement, type Clouds, readClouds } from "../../local/announcement.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { whatWentWrong } from "../invocation/exit.ts";
import { userFolder } from "../invocation/folders.ts";
import { bareCommandLine, startLocalLine } from "../invocation/invocation.ts";
import { rememberedTarget } from "./remembered.ts";
import { choose, type TargetChoice, type TargetKind, targetIn, type Wishes } from "./target.ts";

/** Everything that decides where this user's commands go, and the choice that results. */
export type Standing = { readonly wishes: Wishes; readonly clouds: Clouds; readonly choice: TargetChoice };

/** Reads the user's wishes and which local clouds run. Reads no files if the option says AWS. */
export async function standing(option?: TargetKind, environment: NodeJS.ProcessEnv = process.env): Promise<Standing> {
  const chosen = { option, environment: targetIn(environment["FLEETWRIGHT_TARGET"]) };
  if (option === "aws") return of(chosen, { running: [] });
  const folder = userFolder(environment);
  try {
    return of({ ...chosen, remembered: await rememberedTarget(folder) }, await readClouds(folder));
  } catch (error) {
    if (error instanceof FleetError) throw error;
    // It is unknown whether a local cloud runs, and a wrong guess could cost money.
    throw new FleetError(
      "state-folder",
      `cannot read ${folder}, which records whether a local cloud runs (${whatWentWrong(error)}); add --aws to use AWS, or set FLEETWRIGHT_HOME to a folder that you may read`,
      { cause: error },
    );
  }
}

const of = (wishes: Wishes, clouds: Clouds): Standing => ({ wishes, clouds, choice: choose(wishes, clouds) });

/** Returns a FleetError for a command that needs a local cloud while none runs. It lists everything that the user can do. */
export function noLocalCloud(last: Announcement | undefined): FleetError {
  const what =
    last === undefined
      ? "no local cloud is running"
      : `no local cloud is running: the one at ${last.endpoint} ${last.endedAt === undefined ? "was killed" : `ended at ${last.endedAt}`}`;
  return new FleetError(
    "no-local-cloud",
    [
      `${what}; this command did nothing, and did not use AWS instead`,
      `on this machine: start another one in another terminal: ${startLocalLine()}`,
      `on AWS: add --aws to this command, or, for all later commands: ${bareCommandLine("use", "aws")}`,
    ].join("\n  "),
  );
}
