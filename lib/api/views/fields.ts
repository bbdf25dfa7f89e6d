import * as z from "zod";

/**
 * What the API answers. Times are ISO 8601 in UTC, units stand in the names, and what is not known or not there is left out.
 * A name that a caller may not see (another team's job) is left out, too.
 */
export const Time = z.iso.datetime();
export const Cursor = z.string().min(1).describe("Goes into the next call; absent on the last page");
export const Count = z.int().min(0);
export const Market = z.enum(["spot", "on-demand"]);
export const Reserved = z.object({ usdPerHour: z.number(), gpus: Count });
