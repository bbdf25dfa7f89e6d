import { createHash } from "node:crypto";
import { createReadStream, type Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { nameOfArtifact } from "../../../events/artifacts/artifact-name.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { SealedArtifact } from "../../model/job.ts";

const slash = 0x2f;

/** Returns where an artifact goes in a folder, under the name that the job gave it. Throws a FleetError if it would leave the folder. */
export function placeOf(folder: string, artifact: SealedArtifact): Buffer {
  const name = Buffer.from(nameOfArtifact(artifact));
  if (name.includes(0) || !partsOf(name).every(isPlain)) throw new FleetError("path", "its name would lead out of the folder");
  return Buffer.concat([Buffer.from(folder), Buffer.from([slash]), name]);
}

function partsOf(name: Buffer): readonly Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = name.indexOf(slash); at !== -1; at = name.indexOf(slash, from)) {
    parts.push(name.subarray(from, at));
    from = at + 1;
  }
  return [...parts, name.subarray(from)];
}

const isPlain = (part: Buffer): boolean => part.length > 0 && part.toString("latin1") !== "." && part.toString("latin1") !== "..";

/** Returns what is at an artifact's place. `same`: the artifact, byte for byte. `other`: a different file. */
export async function stateOf(place: Buffer, { bytes, sha256 }: SealedArtifact): Promise<"absent" | "same" | "other" | "folder"> {
  let info: Stats;
  try {
    info = await lstat(place);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return "absent";
    // There is a file where one of its folders should be.
    if (code === "ENOTDIR") return "other";
    throw new FleetError("local-file", whyNotWritten(error) ?? "the place where it goes cannot be read", { cause: error });
  }
  if (info.isDirectory()) return "folder";
  if (!info.isFile() || info.size !== bytes) return "other";
  const hash = createHash("sha256");
  await pipeline(createReadStream(place), hash);
  return hash.digest("hex") === sha256 ? "same" : "other";
}

/** Returns in words why a file cannot be written at its place; undefined if the error has another cause. */
export function whyNotWritten(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    const code = "code" in each ? String(each.code) : "";
    if (Object.hasOwn(words, code)) return words[code];
  }
  return undefined;
}

const words: Readonly<Record<string, string>> = {
  EACCES: "you have no permission to write there",
  EPERM: "you have no permission to write there",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "your disk quota is used up",
  ENAMETOOLONG: "its path is too long for this machine",
  EILSEQ: "this machine's file system does not allow such a name",
  EINVAL: "this machine's file system does not allow such a name",
  ENOTDIR: "there is a file where one of its folders should be",
  EEXIST: "there is a file where one of its folders should be",
  EISDIR: "there is a folder of that name",
};
