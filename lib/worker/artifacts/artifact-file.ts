import type { ArtifactName } from "../../../events/artifacts/artifact-name.ts";
import type { Request } from "./requests.ts";

/** A file to keep. */
export type ArtifactFile = ArtifactName & {
  /** Below the working directory, as bytes. */
  readonly name: Buffer;
  /** Where its bytes are, all links resolved. */
  readonly place: Buffer;
  readonly bytes: number;
  /** Permission bits. */
  readonly mode: number;
  /** Tells it from another file that takes its place. */
  readonly identity: string;
  /** Those that ask for it. */
  readonly requests: readonly Request[];
};
