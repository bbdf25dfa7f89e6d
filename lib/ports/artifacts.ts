import type { SealedManifest, Upload, UploadedFile } from "../model/artifact.ts";
import type { AttemptRef, SealedArtifact } from "../model/job.ts";

/** Uploads as workers leave them, and artifacts as they rest. */
export interface Artifacts {
  /** What the attempt's manifest lists; undefined when there is none (yet). Throws a Fault for one that cannot be read. */
  uploaded(attempt: AttemptRef): Promise<Upload | undefined>;
  /**
   * Encrypts one uploaded file under the team's key, bound to team, job, attempt and path, while checking its checksum.
   * Doing it twice leaves one. `lost` is final.
   */
  seal(attempt: AttemptRef, file: UploadedFile): Promise<{ kind: "sealed"; artifact: SealedArtifact } | { kind: "lost"; because: string }>;
  /** The attempt's sealed list; undefined while there is none. With it all files are there that it names. */
  sealedList(attempt: AttemptRef): Promise<SealedManifest | undefined>;
  /** Seals the list itself. The last step: what it names has to be sealed before. */
  sealList(manifest: SealedManifest): Promise<void>;
}

/** Asks for an upload to be sealed (again), when the event that said so may have been lost. Asking twice is harmless. */
export interface SealAgainQueue {
  send(attempt: AttemptRef): Promise<void>;
}

/** Fetches sealed artifacts for their team. */
export interface ArtifactReader {
  /** What was kept of an attempt; undefined when nothing is sealed of it (yet). */
  list(attempt: AttemptRef): Promise<SealedManifest | undefined>;
  /**
   * Decrypts into `file`, a path as text or, where that does not do, as bytes. The file gets the artifact's permission bits, less
   * those that the umask takes. Throws a Fault when the bytes, the key or the context are not what was sealed.
   */
  open(attempt: AttemptRef, artifact: SealedArtifact, file: string | Buffer): Promise<void>;
}
