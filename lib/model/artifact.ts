import type { ArtifactSummary, AttemptRef, SealedArtifact } from "./job.ts";

/** A file of an attempt as its worker uploaded it. */
export type UploadedFile = Omit<SealedArtifact, "key">;

/** A file or folder that is not kept, and why, in words for the team. */
export type NotKept = { readonly path: string; readonly because: string };

type NotThere = {
  /** Entries that cannot be kept or exceed a limit. */
  readonly leftOut: readonly NotKept[];
  /** How many more entries were left out than `leftOut` lists; undefined for none. */
  readonly leftOutMore?: number | undefined;
  /** The artifact requests of the spec, paths or globs, that matched nothing. */
  readonly missing: readonly string[];
  /** Which required artifact is missing, in words for the team; undefined if none is. */
  readonly failed?: string | undefined;
  /** Set if the upload ended before all files were sent. */
  readonly incomplete?: true | undefined;
};

/** What an attempt left, as its manifest lists it. */
export type Upload = NotThere & {
  readonly artifacts: readonly UploadedFile[];
  /** Files that the manifest lists but that cannot be kept. */
  readonly refused: readonly NotKept[];
};

/** The sealed list of an attempt's sealed files. */
export type SealedManifest = AttemptRef &
  NotThere & {
    readonly version: 2;
    readonly sealedAt: string;
    readonly artifacts: readonly SealedArtifact[];
    /** Files that were uploaded but could not be sealed. */
    readonly lost: readonly NotKept[];
  };

/** Returns the list of an upload, of which the files `sealed` were sealed and the files `lost` could not be. */
export const sealedManifest = (
  { team, job, attempt }: AttemptRef,
  { leftOut, leftOutMore, missing, failed, incomplete, refused }: Upload,
  of: { readonly sealed: readonly SealedArtifact[]; readonly lost: readonly NotKept[]; readonly atMs: number },
): SealedManifest => ({
  version: 2,
  team,
  job,
  attempt,
  sealedAt: new Date(of.atMs).toISOString(),
  artifacts: of.sealed,
  leftOut,
  ...(leftOutMore === undefined ? {} : { leftOutMore }),
  missing,
  ...(failed === undefined ? {} : { failed }),
  ...(incomplete && { incomplete }),
  lost: [...refused, ...of.lost],
});

const maxMissing = 20;

export const summaryOf = ({ artifacts, leftOut, leftOutMore = 0, missing, lost }: SealedManifest): ArtifactSummary => ({
  files: artifacts.length,
  bytes: artifacts.reduce((sum, { bytes }) => sum + bytes, 0),
  leftOut: leftOut.length + leftOutMore,
  missing: missing.slice(0, maxMissing),
  lost: lost.length,
});
