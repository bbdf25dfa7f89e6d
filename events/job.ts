import * as z from "zod";
import type { JobSpec } from "../lib/model/job.ts";
import { defaultRunSeconds, maxRunSeconds } from "../lib/model/values/attempt-times.ts";
import { whyNoImage } from "../lib/model/values/image-reference.ts";
import { DatasetName, JobId, PoolName } from "./names.ts";

/** The largest job message that is accepted, although SQS itself accepts 1 MiB. */
export const maxJobBytes = 32 * 1024;

/** The most members of a gang, because all of them are placed in one transaction, which has at most 100 items. */
export const maxMembers = 48;
/** A file or folder inside a job's working directory. */
const RelativePath = z
  .string()
  .min(1)
  .max(1024)
  .refine(
    (path) => !path.startsWith("/") && !path.includes("\\") && !path.includes("\0") && !path.split("/").includes(".."),
    "must be a path inside the job's working directory: relative, with '/', without '..'",
  );

const Artifact = z
  .union(
    [
      RelativePath,
      z.strictObject({
        path: RelativePath.describe("Relative to the working directory, with / and without .."),
        required: z.boolean().default(false).describe("true: if it is missing, the job fails even if its exit code is 0; the rest is kept"),
      }),
    ],
    { error: 'must be a path, such as "model.pt" or "ckpt/*.pt", or {"path": "model.pt", "required": true}' },
  )
  .transform((request) => {
    if (typeof request === "string") return request;
    return request.required ? { path: request.path, required: request.required } : request.path;
  });
/** A NUL cannot be passed to a program, because it marks the end of an argument, a variable or a path. */
const noNul = (text: string): boolean => !text.includes("\0");
const nulMessage = "contains a NUL byte, which cannot be passed to a program";

const Gpus = z.strictObject({
  count: z.int().min(0).max(64).describe("How many whole GPUs"),
  memoryGiB: z
    .number()
    .min(0)
    .max(1024)
    // The table does not accept numbers as close to 0 as 1e-200.
    .refine((giB) => giB === 0 || giB >= 0.1, "must be 0, for any, or at least 0.1")
    .default(0)
    .describe("The least memory of each GPU, GiB, as EC2 reports it: an A10G or L4 has 22.35"),
  models: z
    .array(z.string().min(1).max(40).refine(noNul, nulMessage))
    .max(20)
    .default([])
    .describe('Allowed models, such as "T4" or "A10G"; empty for any'),
});

const Dataset = z.union([
  DatasetName.transform((name) => ({ name, share: "whole" as const })),
  z.strictObject({
    name: DatasetName.describe("A dataset that the team has added"),
    share: z.enum(["whole", "part"]).default("whole").describe("part: only the shards that are assigned to this job's node"),
  }),
]);

const Zone = z
  .string()
  .regex(/^[a-z]{2}(-[a-z]+)+-\d+(-[a-z]{3}-\d+)?[a-z]$/, "is not the name of an availability zone, such as us-east-1a");

const VariableName = z
  .string()
  .regex(/^(?!FLEETWRIGHT_)/, "begins with FLEETWRIGHT_: Fleetwright reserves such names")
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, "is not a variable's name: 1 to 128 letters, digits and _, not beginning with a digit");

/** `__proto__` is refused here, because `z.record` would silently drop it. */
const Environment = z.preprocess(
  (given, context) => {
    if (typeof given === "object" && given !== null && Object.hasOwn(given, "__proto__"))
      context.addIssue({ code: "custom", path: ["__proto__"], message: "cannot be a variable's name here" });
    return given;
  },
  z.record(VariableName, z.string().max(16_384).refine(noNul, nulMessage)).default({}),
);

const Image = z
  .string()
  .min(1)
  .max(512)
  .superRefine((text, context) => {
    const why = text === "" ? undefined : whyNoImage(text);
    if (why !== undefined) context.addIssue({ code: "custom", message: why });
  });

/**
 * The message that a team sends to its queue. The smallest legal message is {"command":["python","train.py"]}. A new field must be optional
 * or have a default, so that messages keep their meaning and jobs their body hash. Changing a default changes both. Its fields are those of
 * JobSpec and the id: a field that only one of the two has does not compile.
 */
export const JobMessage = z
  .strictObject({
    id: JobId.optional().describe(
      "Your own name for the job; sending the same message under it again is harmless. Default: the SQS message id",
    ),
    command: z.array(z.string().max(8192).refine(noNul, nulMessage)).max(256).default([]).describe("The program and its arguments"),
    image: Image.optional().describe("A container image; only in pools that run containers"),
    code: z
      .strictObject({
        s3: z
          .string()
          .max(1200)
          .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/.+$/, "must look like s3://bucket/key.tar.gz")
          .refine(noNul, nulMessage)
          .describe("The archive's address; a job can read only archives below its own team's prefix of the code bucket"),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hex digits")
          .optional()
          .describe("The archive's SHA-256; if the downloaded archive has another one, the run fails"),
      })
      .optional()
      .describe("A .tar.gz that is unpacked into the working directory"),
    gpus: z
      .union([
        z
          .int()
          .min(0)
          .max(64)
          .transform((count) => ({ count, memoryGiB: 0, models: [] as string[] })),
        Gpus,
      ])
      .default({ count: 1, memoryGiB: 0, models: [] })
      .describe("A count, or {count, memoryGiB, models}"),
    vcpus: z.number().min(0.1).max(1024).default(2).describe("Virtual CPUs, per node"),
    memoryGiB: z.number().min(0.1).max(32_768).default(8).describe("Main memory in GiB, per node"),
    pool: PoolName.optional().describe("The pool that the job runs in. Default: the deployment's default pool"),
    priority: z.int().min(-1000).max(1000).default(0).describe("Of a team's jobs, those with a higher priority go first"),
    maxRuntimeSeconds: z
      .int()
      .min(1)
      .max(maxRunSeconds)
      .default(defaultRunSeconds)
      .describe("A run that takes longer is stopped and fails with exit code 124. The pool may allow less"),
    retries: z.int().min(0).max(10).default(0).describe("How often a failed run is retried; interruptions never count"),
    env: Environment.describe("Environment variables of the program; names that begin with FLEETWRIGHT_ are reserved"),
    artifacts: z
      .array(Artifact)
      .max(100)
      .default([])
      .describe("Files or folders that are kept, encrypted, however a run ends; *, ?, [...] and ** are globs"),
    spot: z.boolean().default(true).describe("Whether it may run on spot capacity"),
    nodes: z
      .int()
      .min(1)
      .max(maxMembers)
      .default(1)
      .describe("More than 1: a gang; each member gets a node of its own and the resources above, all start or none"),
    datasets: z.array(Dataset).max(20).default([]).describe("Datasets of the team that it reads, below $FLEETWRIGHT_DATA"),
    zones: z.array(Zone).max(10).default([]).describe("The availability zones that it accepts, such as us-east-1a; empty for any"),
  } satisfies Readonly<Record<"id" | keyof JobSpec, z.ZodType>>)
  .refine((job) => job.command.length > 0 || job.image !== undefined, {
    message: 'say what to run, such as "command": ["python", "train.py"]',
    path: ["command"],
  });
export type JobMessage = z.infer<typeof JobMessage>;

/** Returns the spec of a message: everything but the job's id. */
export const specOf = ({ id: _id, ...spec }: JobMessage): JobSpec => spec;
