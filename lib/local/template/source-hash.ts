import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";

/** The sources of the assembly. The command line and the simulator are not in it, and the local cloud only reads it. */
const sources = ["cdk", "events", "functions", "lib", "package-lock.json"];
const notSources = ["local", "cli", "sim"].map((folder) => join("lib", folder));

/** Returns a hash of the sources below `root`, with their paths, and of the configuration, wherever it is. */
export async function hashOfSources(root: string, configuration: string): Promise<string> {
  const files = (await Promise.all(sources.map((each) => filesBelow(root, join(root, each))))).flat().sort();
  const hash = createHash("sha256");
  for (const file of [...files, configuration]) {
    const name = file === configuration ? "configuration" : relative(root, file).split(sep).join("/");
    const content = await readFile(file);
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

async function filesBelow(root: string, path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  if (notSources.some((folder) => path === join(root, folder))) return [];
  const names = await readdir(path);
  return (await Promise.all(names.map((name) => filesBelow(root, join(path, name))))).flat();
}
