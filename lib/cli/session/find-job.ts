import { FleetError } from "../../model/fleet-error.ts";
import type { Job } from "../../model/job.ts";
import { commandLine } from "../invocation/invocation.ts";
import type { Connection } from "./connection.ts";
import { teamOf } from "./team.ts";

/** Returns the job. Throws a FleetError that says how to list jobs if it does not exist. */
export async function findJob(id: string, team: string | undefined, connection: Connection): Promise<Job> {
  const of = await teamOf(team, connection);
  const found = await connection.jobs.get({ team: of, job: id });
  if (!found) throw noJob(id, of);
  return found;
}

export const noJob = (id: string, team: string, cause?: unknown): FleetError =>
  new FleetError(
    "no-job",
    `team ${team} has no job ${id} (a new one can take a second to appear); list them with: ${commandLine("jobs", "--team", team)}; an admin sees messages that could not be handled with: ${commandLine("problems")}`,
    { cause },
  );
