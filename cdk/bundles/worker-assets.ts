import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Annotations } from "aws-cdk-lib";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import { Construct } from "constructs";
import { type BuildOptions, buildSync } from "esbuild";
import { root } from "./root.ts";
import { ownNode, pinnedNode, type WorkerNode, workerNode } from "./worker-node.ts";

/** The two files that an instance needs to become a worker: the path of the agent's bundle, and the Node binary. */
export type WorkerFiles = { readonly worker: string; readonly node: WorkerNode };

/** Defines `require`, which an ES module lacks, because bundled CommonJS packages call it for Node's own modules. */
const esmBanner = 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);';

/** How code that runs on Node 24, on nodes and in Lambda, is bundled. */
export const bundleOptions = {
  bundle: true,
  minify: true,
  platform: "node",
  target: "node24",
  format: "esm",
  mainFields: ["module", "main"],
  banner: { js: esmBanner },
  logLevel: "error",
} satisfies BuildOptions;

/**
 * Bundles the agent into one file and returns its path with the Node binary that runs it. `ownNode`: this machine's own, for the local cloud,
 * whose nodes run on this machine.
 */
export function buildWorker({ ownNode: isOwn = false } = {}): WorkerFiles {
  const worker = join(root, ".build", "worker", "worker.mjs");
  const built = buildSync({
    entryPoints: [join(root, "lib", "worker", "main.ts")],
    ...bundleOptions,
    write: false,
  });
  const [file] = built.outputFiles;
  if (file === undefined) throw new Error("esbuild wrote no worker bundle");
  mkdirSync(dirname(worker), { recursive: true });
  // Each synth moves a complete file into place, because two may run at once.
  const fresh = `${worker}.${process.pid}`;
  writeFileSync(fresh, file.contents);
  renameSync(fresh, worker);
  return { worker, node: isOwn ? { path: ownNode } : workerNode() };
}

/** The worker's files as deployment assets, one S3 object per file. */
export class WorkerAssets extends Construct {
  readonly agent: Asset;
  readonly binary: Asset;

  constructor(scope: Construct, id: string, files: WorkerFiles) {
    super(scope, id);
    this.agent = new Asset(this, "Worker", { path: files.worker });
    this.binary = new Asset(this, "Node", { path: files.node.path });
    const { problem } = files.node;
    // An error stops a deployment, but not the template, which can still be looked at.
    if (problem !== undefined)
      Annotations.of(this).addError(
        `Nodes need Node ${pinnedNode.version} for Linux on x86_64 (npm's ${pinnedNode.package}), but ${problem}`,
      );
  }
}

/** Returns `bucket/key`, the form that the `node` function expects in its environment. */
export const objectName = (asset: Asset): string => `${asset.s3BucketName}/${asset.s3ObjectKey}`;
