import { closeSync, mkdirSync, openSync, readSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Annotations } from "aws-cdk-lib";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import { Construct } from "constructs";
import { buildSync } from "esbuild";
import { root } from "./root.ts";

/** The two files that make a node a worker. */
export type WorkerFiles = { readonly worker: string; readonly node: string };

/** Bundles the agent into one file and names the Node binary that runs it. */
export function buildWorker(): WorkerFiles {
  const worker = join(root, ".build", "worker", "worker.mjs");
  const built = buildSync({
    entryPoints: [join(root, "lib", "worker", "main.ts")],
    bundle: true,
    minify: true,
    platform: "node",
    target: "node24",
    format: "esm",
    mainFields: ["module", "main"],
    banner: { js: esmBanner },
    write: false,
    logLevel: "error",
  });
  const [file] = built.outputFiles;
  if (file === undefined) throw new Error("esbuild left no worker");
  mkdirSync(dirname(worker), { recursive: true });
  // Two synths may run at once: each moves a whole file into place.
  const fresh = `${worker}.${process.pid}`;
  writeFileSync(fresh, file.contents);
  renameSync(fresh, worker);
  return { worker, node: join(root, "node_modules", "node", "bin", "node") };
}

/** Packages that are still CommonJS call `require` for Node's own modules; an ES module has none unless it makes one. */
export const esmBanner = 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);';

/** The worker's files as deployment assets, each one object. */
export class WorkerAssets extends Construct {
  readonly agent: Asset;
  readonly binary: Asset;

  constructor(scope: Construct, id: string, files: WorkerFiles) {
    super(scope, id);
    this.agent = new Asset(this, "Worker", { path: files.worker });
    this.binary = new Asset(this, "Node", { path: files.node });
    const wrong = notLinuxX64(files.node);
    // The local cloud runs this machine's own binary and never this one: only a deployment has to stop here.
    if (wrong)
      Annotations.of(this).addError(
        `Nodes run Linux on x86_64, but ${files.node} ${wrong}. Deploy from Linux on x86_64, or install that machine's Node: npm i --cpu=x64 --os=linux`,
      );
  }
}

/** `bucket/key`, as the `node` function is told. */
export const objectName = (asset: Asset): string => `${asset.s3BucketName}/${asset.s3ObjectKey}`;

/** What is wrong with a file that should be a Linux program for x86_64; undefined when it is one. */
export function notLinuxX64(file: string): string | undefined {
  const header = Buffer.alloc(20);
  const handle = openSync(file, "r");
  try {
    readSync(handle, header, 0, header.length, 0);
  } finally {
    closeSync(handle);
  }
  if (header.readUInt32BE(0) !== 0x7f454c46) return "is no Linux program";
  // ELF: class 2 is 64 bit; machine 62 is x86_64.
  return header.readUInt8(4) === 2 && header.readUInt16LE(18) === 62 ? undefined : "is for another processor";
}
