import * as z from "zod";
import { JobId } from "../../../events/job.ts";

export const problemCodes = [
  "invalid",
  "cursor",
  "denied",
  "not-found",
  "method",
  "media-type",
  "too-large",
  "conflict",
  "rejected",
  "busy",
  "internal",
] as const;

/** RFC 9457. The type is always about:blank, for the status and `code` say what it is. */
export const Problem = z
  .object({
    type: z.literal("about:blank"),
    title: z.string().describe("Of the status"),
    status: z.int().min(400).max(599),
    code: z.enum(problemCodes),
    detail: z.string(),
    instance: z.string().describe("urn:uuid:… of this request, as the log has it"),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .describe("What is wrong with which field"),
    job: JobId.optional().describe("Under which a refused job is on record"),
  })
  .meta({ id: "Problem" });
export type Problem = z.infer<typeof Problem>;
