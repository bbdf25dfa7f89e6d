import * as z from "zod";

/**
 * Fields of the API's responses. Times are ISO 8601 in UTC, names contain the units, and unknown or missing values are omitted.
 * A name that the caller may not see, for example of another team's job, is omitted, too.
 */
export const Time = z.iso.datetime();
export const Cursor = z.string().min(1).describe("Pass it to the next call; omitted on the last page");
export const Count = z.int().min(0);
export const Market = z.enum(["spot", "on-demand"]);
export const Reserved = z.object({ usdPerHour: z.number(), gpus: Count });
