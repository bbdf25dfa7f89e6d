import * as z from "zod";
import { JobId } from "../../../events/names.ts";

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

/** Problem details (RFC 9457). The type is always about:blank, because the status and `code` identify the problem. */
export const ProblemView = z
  .object({
    type: z.literal("about:blank"),
    title: z.string().describe("HTTP's phrase for the status"),
    status: z.int().min(400).max(599),
    code: z.enum(problemCodes),
    detail: z.string(),
    instance: z.string().describe("urn:uuid:… with the request's id, which is also in the API's log"),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .describe("The mistakes, by field"),
    job: JobId.optional().describe("The id under which a refused job is recorded"),
  })
  .meta({ id: "Problem" });
export type ProblemView = z.infer<typeof ProblemView>;
