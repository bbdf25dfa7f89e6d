import * as z from "zod";
import { JobId, PoolName, TeamName } from "../../../events/names.ts";

/** Parameters of paths. */
export const noParams = z.strictObject({});
export const ofTeam = z.strictObject({ team: TeamName });
export const ofJob = z.strictObject({ team: TeamName, job: JobId });
export const ofPool = z.strictObject({ pool: PoolName });

/** Parameters of queries. */
export const noQuery = z.strictObject({});
export const limitOf = (most: number, usual: number) =>
  z.coerce.number().int().min(1).max(most).default(usual).describe("The most items to return");
export const cursor = z.string().min(1).max(500).optional().describe("The cursor that the previous page returned");
