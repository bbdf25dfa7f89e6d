import type { AttemptRef, SealedArtifact } from "../model/job.ts";

export type UploadedFile = { readonly path: string; readonly bytes: number; readonly sha256: string };

/** Uploads as workers leave them, and artifacts as they rest. */
export interface Artifacts {
  /** What the attempt's manifest lists; undefined when there is none (yet). Throws a Fault for one that cannot be read. */
  uploaded(attempt: AttemptRef): Promise<readonly UploadedFile[] | undefined>;
  /**
   * Encrypts one uploaded file under the team's key, bound to team, job, attempt and path, while checking its checksum.
   * Doing it twice leaves one. `missing` and `corrupt` are final.
   */
  seal(
    attempt: AttemptRef,
    file: UploadedFile,
  ): Promise<{ kind: "sealed"; artifact: SealedArtifact } | { kind: "missing" } | { kind: "corrupt" }>;
}

/** Asks for an upload to be sealed (again), when the event that said so may have been lost. Asking twice is harmless. */
export interface SealAgainQueue {
  send(attempt: AttemptRef): Promise<void>;
}

/** Fetches sealed artifacts for their team. */
export interface ArtifactReader {
  /** Decrypts into `file`; throws a Fault when the bytes, the key or the context are not what was sealed. */
  open(attempt: AttemptRef, artifact: SealedArtifact, file: string): Promise<void>;
}
