import { createHash } from "node:crypto";
import type * as z from "zod";
import { JobMessage } from "../../../events/job.ts";
import { canonicalJson } from "../../../events/json.ts";
import { withoutDefaults } from "../../../events/without-defaults.ts";
import type { JobSpec } from "../../model/job.ts";

/**
 * Returns the SHA-256 (hex) of a message's spec, or of its text if it cannot be read. White space, the order of keys and explicit
 * defaults make no difference, so a release that adds a field with a default changes no hash.
 */
export const bodyHash = (body: Partial<JobSpec> | string, schema: z.ZodType = JobMessage): string =>
  createHash("sha256")
    .update(canonicalJson(typeof body === "string" ? body : withoutDefaults(schema, body)))
    .digest("hex");
