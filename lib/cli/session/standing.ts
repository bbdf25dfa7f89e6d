import { type Announcement, type Clouds, readClouds } from "../../local/announcement.ts";
import { Fault } from "../../model/fault.ts";
import { whatWentWrong } from "../invocation/exit.ts";
import { userFolder } from "../invocation/folders.ts";
import { bareCommandLine, startLocalLine } from "../invocation/invocation.ts";
import { rememberedTarget } from "./remembered.ts";
import { type Choice, choose, type TargetKind, targetIn, type Wishes } from "./target.ts";

/** What is known about where commands of this user go. */
export type Standing = { readonly wishes: Wishes; readonly clouds: Clouds; readonly choice: Choice };

/** Reads what was said and which local clouds run. With an option that says AWS nothing is read. */
export async function standing(option?: TargetKind, environment: NodeJS.ProcessEnv = process.env): Promise<Standing> {
  const said = { option, environment: targetIn(environment["FLEETWRIGHT_TARGET"]) };
  if (option === "aws") return of(said, { running: [] });
  const folder = userFolder(environment);
  try {
    return of({ ...said, remembered: await rememberedTarget(folder) }, await readClouds(folder));
  } catch (error) {
    if (error instanceof Fault) throw error;
    // Whether a local cloud runs is not known, and a guess could cost money.
    throw new Fault(
      "state-folder",
      `cannot read ${folder}, which says whether a local cloud runs (${whatWentWrong(error)}); add --aws to speak to AWS, or set FLEETWRIGHT_HOME to a folder that you may read`,
      { cause: error },
    );
  }
}

const of = (wishes: Wishes, clouds: Clouds): Standing => ({ wishes, clouds, choice: choose(wishes, clouds) });

/** Why nothing was done although a local cloud was meant, and every way out. */
export function noLocalCloud(last: Announcement | undefined): Fault {
  const what =
    last === undefined
      ? "no local cloud is running"
      : `no local cloud is running: the one at ${last.endpoint} ${last.endedAt === undefined ? "was killed" : `ended at ${last.endedAt}`}`;
  return new Fault(
    "no-local-cloud",
    [
      `${what}; this command did nothing, and did not go to AWS instead`,
      `on this machine: start another one in another terminal: ${startLocalLine()}`,
      `on AWS: add --aws to this command, or for all that follow: ${bareCommandLine("use", "aws")}`,
    ].join("\n  "),
  );
}
