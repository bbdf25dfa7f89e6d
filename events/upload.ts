import * as z from "zod";
import { JobId, TeamName } from "./job.ts";

/** S3's "Object Created" for an attempt's manifest, as EventBridge delivers it. */
export const ObjectCreated = z.object({
  source: z.literal("aws.s3"),
  "detail-type": z.literal("Object Created"),
  detail: z.object({
    bucket: z.object({ name: z.string() }),
    object: z.object({ key: z.string() }),
  }),
});
export type ObjectCreated = z.infer<typeof ObjectCreated>;

/** Asks again for an upload to be sealed, when the event that said so may have been lost. */
export const SealAgain = z.strictObject({ seal: z.strictObject({ team: TeamName, job: JobId, attempt: z.int().min(1) }) });
export type SealAgain = z.infer<typeof SealAgain>;

/** As keys and folders bear it: no step out of its folder, no two spellings of one path. */
const ArtifactPath = z
  .string()
  .min(1)
  .max(1024)
  .refine(
    (path) => !path.includes("\\") && !path.includes("\0") && path.split("/").every((part) => part !== "" && part !== "." && part !== ".."),
    "must be a path below the working directory, with '/' and without '.' or '..'",
  );

/** What a worker writes last, when every file of the attempt lies in the incoming bucket. */
export const Manifest = z.strictObject({
  version: z.literal(1),
  team: TeamName,
  job: JobId,
  attempt: z.int().min(1),
  artifacts: z.array(
    z.strictObject({
      path: ArtifactPath,
      bytes: z.int().min(0),
      /** Of the plaintext, hex. */
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});
export type Manifest = z.infer<typeof Manifest>;

/** Where an attempt's uploads lie in the incoming bucket: `TEAM/JOB/ATTEMPT/`. */
export const uploadPrefix = (of: { team: string; job: string; attempt: number }): string => `${of.team}/${of.job}/${of.attempt}/`;
export const manifestKey = (of: { team: string; job: string; attempt: number }): string => `${uploadPrefix(of)}manifest.json`;
export const fileKey = (of: { team: string; job: string; attempt: number }, path: string): string => `${uploadPrefix(of)}files/${path}`;

/** The attempt whose manifest this key is; undefined for any other key. */
export const attemptOfManifest = (key: string): { team: string; job: string; attempt: number } | undefined => {
  const parts = /^([^/]+)\/([^/]+)\/([1-9][0-9]*)\/manifest\.json$/.exec(key);
  return parts?.[1] && parts[2] && parts[3] ? { team: parts[1], job: parts[2], attempt: Number(parts[3]) } : undefined;
};

/** The attempt that a message of the seal queue is about; undefined for anything else. */
export function attemptToSeal(message: unknown): { team: string; job: string; attempt: number } | undefined {
  const again = SealAgain.safeParse(message);
  if (again.success) return again.data.seal;
  const created = ObjectCreated.safeParse(message);
  return created.success ? attemptOfManifest(created.data.detail.object.key) : undefined;
}
