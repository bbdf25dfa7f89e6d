import * as z from "zod";
import { JobId, PoolName, TeamName } from "../../../events/job.ts";

/** What paths are made of. */
export const noParams = z.strictObject({});
export const ofTeam = z.strictObject({ team: TeamName });
export const ofJob = z.strictObject({ team: TeamName, job: JobId });
export const ofPool = z.strictObject({ pool: PoolName });

/** What queries are made of. */
export const noQuery = z.strictObject({});
export const limitOf = (most: number, usual: number) =>
  z.coerce.number().int().min(1).max(most).default(usual).describe("How many at most");
export const cursor = z.string().min(1).max(500).optional().describe("Of the page before");
