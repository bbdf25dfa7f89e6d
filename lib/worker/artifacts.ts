import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { join, posix, sep } from "node:path";
import { Fault } from "../model/fault.ts";

export type ArtifactLimits = { readonly files: number; readonly bytes: number };
/** One Lambda seals them within its ten minutes. */
export const artifactLimits: ArtifactLimits = { files: 1_500, bytes: 10 * 1024 ** 3 };

/** The longest path of an artifact, in bytes: with its prefix it has to be a key in S3. */
const longestPath = 700;

/** A file to keep. `path` is below the working directory, with `/`; `file` is where its bytes are, all links resolved. */
export type ArtifactFile = { readonly path: string; readonly file: string; readonly bytes: number };

/**
 * The files that a job's artifact paths name, in the order of their paths. Links are followed only inside the working
 * directory. Throws a Fault, in words for the team, when something is missing, leads outside, or is too much.
 */
export async function collectArtifacts(work: string, paths: readonly string[], limits: ArtifactLimits): Promise<readonly ArtifactFile[]> {
  const root = await realpath(work);
  const found = new Map<string, ArtifactFile>();
  let bytes = 0;

  const keep = (path: string, file: string, size: number): void => {
    if (found.has(path)) return;
    if (Buffer.byteLength(path) > longestPath) throw refused(`the path of "${path}" is longer than ${longestPath} bytes`);
    found.set(path, { path, file, bytes: size });
    bytes += size;
    if (found.size > limits.files) throw refused(`there are more than ${limits.files} files`);
    if (bytes > limits.bytes) throw refused(`they are larger than ${limits.bytes} bytes`);
  };
  const visit = async (path: string, above: readonly string[]): Promise<void> => {
    const place = await resolveInside(root, path);
    const info = await stat(place);
    if (info.isFile()) return keep(path, place, info.size);
    if (!info.isDirectory()) throw refused(`"${path}" is neither a file nor a folder`);
    if (above.includes(place)) throw refused(`"${path}" is a link to a folder that it lies in`);
    for (const name of await readdir(place)) await visit(path === "." ? name : posix.join(path, name), [...above, place]);
  };

  for (const named of paths) {
    const path = posix.normalize(named).replace(/\/$/, "");
    if (!(await isThere(join(root, path)))) throw new Fault("artifacts", `the job succeeded but left no "${named}"`);
    await visit(path, []);
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

const refused = (why: string) => new Fault("artifacts", `the job succeeded but its artifacts cannot be kept: ${why}`);

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch {
    return false;
  }
}

async function resolveInside(root: string, path: string): Promise<string> {
  let place: string;
  try {
    place = await realpath(join(root, path));
  } catch (error) {
    throw new Fault("artifacts", `the job succeeded but its artifacts cannot be kept: "${path}" leads nowhere`, { cause: error });
  }
  if (place !== root && !place.startsWith(root + sep)) throw refused(`"${path}" is a link that leads outside the working directory`);
  return place;
}
