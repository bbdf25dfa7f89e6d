import * as z from "zod";
import type { DatasetLimits as Limits } from "../model/dataset.ts";

const most = z.int().min(1, "must be 1 or more").max(10_000, "must not be more than 10,000");

/** How many datasets a team may have, and how often their sources are listed. A listing costs one S3 request per thousand objects. */
export const DatasetLimits = z
  .strictObject({
    perTeam: most.default(200).describe("Datasets that a team may have"),
    listingSeconds: z
      .int()
      .min(1, "must be 1 or more")
      .max(600, "must not be longer than ten minutes")
      .default(15)
      .describe("The interval of the two limits below"),
    listingsPerSource: most
      .default(2)
      .describe("How often one source of a team is listed per interval; further listings wait for the next one"),
    listingsPerTeam: most.default(15).describe("How often all sources of a team together are listed per interval"),
  })
  .prefault({}) satisfies z.ZodType<Limits>;
