import type { SealedManifest, Upload, UploadedFile } from "../model/artifact.ts";
import type { AttemptRef, SealedArtifact } from "../model/job.ts";

/** The files that workers upload, and the sealed artifacts that are made of them. */
export interface Artifacts {
  /** Returns what the attempt's manifest lists, or undefined if there is no manifest (yet). Throws a FleetError if it cannot be read. */
  uploaded(attempt: AttemptRef): Promise<Upload | undefined>;
  /**
   * Encrypts one uploaded file under the team's key, bound to team, job, attempt and path, and checks its checksum. Sealing a file
   * twice has the same effect as once. Returns `lost` if the file can never be sealed.
   */
  seal(attempt: AttemptRef, file: UploadedFile): Promise<{ kind: "sealed"; artifact: SealedArtifact } | { kind: "lost"; because: string }>;
  /** Returns the attempt's sealed list, or undefined if it is not written yet. If the list exists, so do all files that it names. */
  sealedList(attempt: AttemptRef): Promise<SealedManifest | undefined>;
  /** Seals the list itself. This is the last step: all files that the list names must be sealed before. */
  sealList(manifest: SealedManifest): Promise<void>;
}

/** Asks for an upload to be sealed (again), because S3's event about it may have been lost. Asking twice is harmless. */
export interface SealAgainQueue {
  send(attempt: AttemptRef): Promise<void>;
}

/** Fetches sealed artifacts with the rights of their team. */
export interface ArtifactReader {
  /** Returns the list of what was kept of an attempt, or undefined if nothing of it is sealed (yet). */
  list(attempt: AttemptRef): Promise<SealedManifest | undefined>;
  /**
   * Decrypts the artifact into `file`: a path as text or, if the name is not text, as bytes. The file gets the artifact's permission
   * bits, less those that the umask clears. Throws a FleetError if the bytes, the key or the context differ from what was sealed.
   */
  open(attempt: AttemptRef, artifact: SealedArtifact, file: string | Buffer): Promise<void>;
}
