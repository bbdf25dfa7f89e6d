import type { ArtifactSummary, AttemptRef, SealedArtifact } from "./job.ts";

/** A file of an attempt as its worker uploaded it. */
export type UploadedFile = Omit<SealedArtifact, "key">;

/** An entry that is not kept, and why, in words for the team. */
export type NotKept = { readonly path: string; readonly because: string };

type NotThere = {
  /** Entries that cannot be kept, or are over a limit. */
  readonly leftOut: readonly NotKept[];
  /** How many more there are. */
  readonly leftOutMore?: number | undefined;
  /** Names of the spec's artifacts, globs included, that matched nothing. */
  readonly missing: readonly string[];
  /** A required artifact is not there, in words. */
  readonly failed?: string | undefined;
};

/** What an attempt left, as its manifest tells. */
export type Upload = NotThere & {
  readonly artifacts: readonly UploadedFile[];
  /** What the manifest promises and nobody can keep. */
  readonly refused: readonly NotKept[];
};

/** The sealed list of an attempt's sealed files. */
export type SealedManifest = AttemptRef &
  NotThere & {
    readonly version: 2;
    readonly sealedAt: string;
    readonly artifacts: readonly SealedArtifact[];
    /** Files that were uploaded and could not be sealed. */
    readonly lost: readonly NotKept[];
  };

/** The list of an upload of which these files were sealed, and those could not be. */
export const sealedManifest = (
  { team, job, attempt }: AttemptRef,
  { leftOut, leftOutMore, missing, failed, refused }: Upload,
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
  lost: [...refused, ...of.lost],
});

const mostMissing = 20;

export const summaryOf = ({ artifacts, leftOut, leftOutMore = 0, missing, lost }: SealedManifest): ArtifactSummary => ({
  files: artifacts.length,
  bytes: artifacts.reduce((sum, { bytes }) => sum + bytes, 0),
  leftOut: leftOut.length + leftOutMore,
  missing: missing.slice(0, mostMissing),
  lost: lost.length,
});
