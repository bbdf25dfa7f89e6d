import * as z from "zod";
import { JobId, TeamName } from "../names.ts";

/** S3's "Object Created" event for an uploaded object, such as an attempt's manifest, as EventBridge delivers it. */
export const ObjectCreated = z.object({
  source: z.literal("aws.s3"),
  "detail-type": z.literal("Object Created"),
  detail: z.object({
    bucket: z.object({ name: z.string() }),
    object: z.object({ key: z.string() }),
  }),
});
export type ObjectCreated = z.infer<typeof ObjectCreated>;

/** Asks again for an upload to be sealed, because S3's event about it may have been lost. */
export const SealAgain = z.strictObject({ seal: z.strictObject({ team: TeamName, job: JobId, attempt: z.int().min(1) }) });
export type SealAgain = z.infer<typeof SealAgain>;

/** A path that is safe as a key and as a file below a folder: it cannot lead outside, and each path has only one spelling. */
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

/** The most left-out entries that a worker lists. It reports only the number of the others. */
export const maxLeftOut = 1_000;

const attemptIs = { team: TeamName, job: JobId, attempt: z.int().min(1) };

/** A file that an attempt left. */
export const UploadedArtifact = z.strictObject({
  path: ArtifactPath,
  bytes: z.int().min(0),
  /** SHA-256 of the plaintext, hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Permission bits. */
  mode: z.int().min(0).max(0o777),
  /** Set if the path contains bytes as %XX because they are not text or not allowed in a path; each % of the name itself is %25. */
  escaped: z.literal(true).optional(),
});
export type UploadedArtifact = z.infer<typeof UploadedArtifact>;

export const LeftOut = z.strictObject({ path: z.string().min(1).max(8_192), because: z.string().min(1).max(500) });

const whatIsNotThere = {
  /** Entries that cannot be kept or exceed a limit. */
  leftOut: z.array(LeftOut).max(maxLeftOut),
  /** How many more entries were left out than `leftOut` lists; undefined for none. */
  leftOutMore: z.int().min(1).optional(),
  /** The artifact requests of the spec, paths or globs, that matched nothing. */
  missing: z.array(z.string().min(1).max(1024)).max(100),
  /** Which required artifact is missing, in words: the rest is kept, and the job fails. Undefined if none is. */
  failed: z.string().min(1).max(2_000).optional(),
  /** Set if the upload ended before all files were sent. The files that were are kept, but the job must not succeed with them. */
  incomplete: z.literal(true).optional(),
};

/**
 * The list of an attempt's files. A worker must write it for every attempt that leaves anything, and last, after every file is in the
 * incoming bucket.
 */
export const Manifest = z.strictObject({
  version: z.literal(2),
  ...attemptIs,
  artifacts: z.array(UploadedArtifact),
  ...whatIsNotThere,
});
export type Manifest = z.infer<typeof Manifest>;

/** The sealed list of an attempt's sealed files. It is written last, so that all files that it names exist. */
export const SealedManifestFile = z.object({
  version: z.literal(2),
  ...attemptIs,
  sealedAt: z.iso.datetime(),
  /** `key` is the file's key in the artifacts bucket. */
  artifacts: z.array(UploadedArtifact.extend({ key: z.string().min(1).max(1024) })),
  ...whatIsNotThere,
  /** Files that were uploaded but could not be sealed. */
  lost: z.array(z.object({ path: z.string(), because: z.string() })),
});
export type SealedManifestFile = z.infer<typeof SealedManifestFile>;

/** Returns the prefix of an attempt's uploads in the incoming bucket, and of its sealed files in the artifacts bucket. */
export const uploadPrefix = (of: { team: string; job: string; attempt: number }): string => `${of.team}/${of.job}/${of.attempt}/`;
export const manifestKey = (of: { team: string; job: string; attempt: number }): string => `${uploadPrefix(of)}manifest.json`;
export const fileKey = (of: { team: string; job: string; attempt: number }, path: string): string => `${uploadPrefix(of)}files/${path}`;

/** Returns the key of a sealed file in the artifacts bucket. */
export const sealedFileKey = (of: { team: string; job: string; attempt: number }, path: string): string =>
  `${uploadPrefix(of)}files/${path}.sealed`;
/** Returns the key of the sealed list in the artifacts bucket. */
export const sealedManifestKey = (of: { team: string; job: string; attempt: number }): string => `${uploadPrefix(of)}manifest.json.sealed`;
/** The path that the sealed list is bound to. No file of a job can have it, so that neither can be opened in place of the other. */
export const sealedManifestPath = "/manifest.json";

/** Returns the attempt whose manifest has this key, or undefined if it is another key. */
export const attemptOfManifest = (key: string): { team: string; job: string; attempt: number } | undefined => {
  const parts = /^([^/]+)\/([^/]+)\/([1-9][0-9]*)\/manifest\.json$/.exec(key);
  return parts?.[1] && parts[2] && parts[3] ? { team: parts[1], job: parts[2], attempt: Number(parts[3]) } : undefined;
};

/** Returns the attempt that a message of the seal queue is about, or undefined if it is about something else. */
export function attemptToSeal(message: unknown): { team: string; job: string; attempt: number } | undefined {
  const again = SealAgain.safeParse(message);
  if (again.success) return again.data.seal;
  const created = ObjectCreated.safeParse(message);
  return created.success ? attemptOfManifest(created.data.detail.object.key) : undefined;
}
