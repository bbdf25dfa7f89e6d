import * as z from "zod";
import { JobId, TeamName } from "../job.ts";

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
export const ArtifactPath = z
  .string()
  .min(1)
  .max(1024)
  .refine(
    (path) =>
      path.isWellFormed() &&
      !path.includes("\\") &&
      !path.includes("\0") &&
      path.split("/").every((part) => part !== "" && part !== "." && part !== ".."),
    "must be a path below the working directory, with '/' and without '.' or '..'",
  );

/** A worker lists so many entries that it left out; of more it tells the number. */
export const mostLeftOut = 1_000;

const attemptIs = { team: TeamName, job: JobId, attempt: z.int().min(1) };

/** A file that an attempt left. */
export const UploadedArtifact = z.strictObject({
  path: ArtifactPath,
  bytes: z.int().min(0),
  /** Of the plaintext, hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Permission bits. */
  mode: z.int().min(0).max(0o777),
  /** The path has bytes in it as %XX that are not text, or that no path here may hold; its own % are %25. */
  escaped: z.literal(true).optional(),
});
export type UploadedArtifact = z.infer<typeof UploadedArtifact>;

export const LeftOut = z.strictObject({ path: z.string().min(1).max(8_192), because: z.string().min(1).max(500) });

const whatIsNotThere = {
  /** Entries that cannot be kept, or are over a limit. */
  leftOut: z.array(LeftOut).max(mostLeftOut),
  /** How many more there are. */
  leftOutMore: z.int().min(1).optional(),
  /** Names of the spec's artifacts, globs included, that matched nothing. */
  missing: z.array(z.string().min(1).max(1024)).max(100),
  /** A required artifact is not there, in words: the rest is kept, and the job fails. */
  failed: z.string().min(1).max(2_000).optional(),
};

/** What a worker writes last, when every file of the attempt lies in the incoming bucket; for every attempt that leaves anything. */
export const Manifest = z.strictObject({
  version: z.literal(2),
  ...attemptIs,
  artifacts: z.array(UploadedArtifact),
  ...whatIsNotThere,
});
export type Manifest = z.infer<typeof Manifest>;

/** The sealed list of an attempt's sealed files: written last, so that all it names is there. */
export const SealedManifest = z.object({
  version: z.literal(2),
  ...attemptIs,
  sealedAt: z.iso.datetime(),
  /** `key`: in the artifacts bucket. */
  artifacts: z.array(UploadedArtifact.extend({ key: z.string().min(1).max(1024) })),
  ...whatIsNotThere,
  /** Files that were uploaded and could not be sealed. */
  lost: z.array(z.object({ path: z.string(), because: z.string() })),
});
export type SealedManifest = z.infer<typeof SealedManifest>;

/** Where an attempt's uploads lie in the incoming bucket, and what rests of them in the artifacts bucket: `TEAM/JOB/ATTEMPT/`. */
export const uploadPrefix = (of: { team: string; job: string; attempt: number }): string => `${of.team}/${of.job}/${of.attempt}/`;
export const manifestKey = (of: { team: string; job: string; attempt: number }): string => `${uploadPrefix(of)}manifest.json`;
export const fileKey = (of: { team: string; job: string; attempt: number }, path: string): string => `${uploadPrefix(of)}files/${path}`;

/** Where an attempt's files rest in the artifacts bucket. */
export const sealedFileKey = (of: { team: string; job: string; attempt: number }, path: string): string =>
  `${uploadPrefix(of)}files/${path}.sealed`;
/** Where the list of them rests. */
export const sealedManifestKey = (of: { team: string; job: string; attempt: number }): string => `${uploadPrefix(of)}manifest.json.sealed`;
/** The path that the list is bound to when it is sealed: no file of a job can have it, so neither opens in place of the other. */
export const sealedManifestPath = "/manifest.json";

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
