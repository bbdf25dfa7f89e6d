import * as z from "zod";
import type { JobSpec } from "../lib/model/job.ts";

/** A job's spec as it is stored, and as it is sent to the worker. */
export const StoredSpec: z.ZodType<JobSpec> = z.object({
  command: z.array(z.string()),
  image: z.string().optional(),
  code: z.object({ s3: z.string(), sha256: z.string().optional() }).optional(),
  gpus: z.object({ count: z.number(), memoryGiB: z.number(), models: z.array(z.string()) }),
  vcpus: z.number(),
  memoryGiB: z.number(),
  pool: z.string().optional(),
  priority: z.number(),
  maxRuntimeSeconds: z.number(),
  retries: z.number(),
  env: z.record(z.string(), z.string()),
  artifacts: z.array(z.union([z.string(), z.object({ path: z.string(), required: z.literal(true) })])),
  spot: z.boolean(),
  nodes: z.int().min(1).default(1),
  datasets: z.array(z.object({ name: z.string(), share: z.enum(["whole", "part"]) })).default([]),
  zones: z.array(z.string()).default([]),
} satisfies Readonly<Record<keyof JobSpec, z.ZodType>>);
