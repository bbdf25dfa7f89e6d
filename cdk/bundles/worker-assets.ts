import { closeSync, mkdirSync, openSync, readSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Annotations } from "aws-cdk-lib";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import { Construct } from "constructs";
import { type BuildOptions, buildSync } from "esbuild";
import { root } from "./root.ts";

/** Paths of the two files that an instance needs to become a worker: the agent's bundle and the Node binary. */
export type WorkerFiles = { readonly worker: string; readonly node: string };

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

/** Bundles the agent into one file and returns its path with that of the Node binary that runs it. */
export function buildWorker(): WorkerFiles {
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
  return { worker, node: join(root, "node_modules", "node", "bin", "node") };
}

/** The worker's files as deployment assets, one S3 object per file. */
export class WorkerAssets extends Construct {
  readonly agent: Asset;
  readonly binary: Asset;

  constructor(scope: Construct, id: string, files: WorkerFiles) {
    super(scope, id);
    this.agent = new Asset(this, "Worker", { path: files.worker });
    this.binary = new Asset(this, "Node", { path: files.node });
    const wrong = notLinuxX64(files.node);
    // An error annotation stops a deployment only. The local cloud must go on, because it runs this machine's own binary instead.
    if (wrong)
      Annotations.of(this).addError(
        `Nodes run Linux on x86_64, but ${files.node} ${wrong}. Deploy from Linux on x86_64, or install Node for it: npm i --cpu=x64 --os=linux`,
      );
  }
}

/** Returns `bucket/key`, the form that the `node` function expects in its environment. */
export const objectName = (asset: Asset): string => `${asset.s3BucketName}/${asset.s3ObjectKey}`;

/** Returns what is wrong with a file that should be a Linux program for x86_64, or undefined if it is one. */
export function notLinuxX64(file: string): string | undefined {
  const header = Buffer.alloc(20);
  const handle = openSync(file, "r");
  try {
    readSync(handle, header, 0, header.length, 0);
  } finally {
    closeSync(handle);
  }
  if (header.readUInt32BE(0) !== 0x7f454c46) return "is not a Linux program";
  // ELF: class 2 means 64 bit, machine 62 means x86_64.
  return header.readUInt8(4) === 2 && header.readUInt16LE(18) === 62 ? undefined : "is for another processor";
}
