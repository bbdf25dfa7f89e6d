import type { ArtifactName } from "../../../events/artifacts/artifact-name.ts";
import type { Request } from "./requests.ts";

/** A file that the job keeps as an artifact. */
export type ArtifactFile = ArtifactName & {
  /** Its path below the working directory, as bytes. */
  readonly name: Buffer;
  /** Its real path, with all links resolved. */
  readonly place: Buffer;
  readonly bytes: number;
  /** Permission bits. */
  readonly mode: number;
  /** Device and inode, which detect that another file has replaced it. */
  readonly identity: string;
  /** The requests that match it. */
  readonly requests: readonly Request[];
};
