import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { readManifest } from "../../../events/artifacts/manifest.ts";
import {
  fileKey,
  type Manifest,
  manifestKey,
  SealedManifestFile,
  sealedFileKey,
  sealedManifestKey,
  sealedManifestPath,
} from "../../../events/artifacts/upload.ts";
import type { SealedManifest as Listed, Upload, UploadedFile } from "../../model/artifact.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { AttemptRef, SealedArtifact } from "../../model/job.ts";
import type { ArtifactReader, Artifacts } from "../../ports/artifacts.ts";
import { Interruptions } from "./interruptions.ts";

type Method = "uploaded" | "seal" | "sealedList" | "sealList" | "list" | "open";

/** Both buckets and the teams' keys in memory. It really encrypts: AES-GCM under the team's key, bound to the encryption context. */
export class MemoryArtifacts implements Artifacts, ArtifactReader {
  readonly incoming = new Map<string, Buffer>();
  readonly sealed = new Map<string, Buffer>();
  readonly interruptions = new Interruptions<Method>();

  /** Uploads as a worker does: first the files, then the manifest. */
  upload(
    attempt: AttemptRef,
    files: Readonly<Record<string, string | Buffer>>,
    notThere: Partial<Pick<Manifest, "leftOut" | "leftOutMore" | "missing" | "failed" | "incomplete">> = {},
  ): readonly UploadedFile[] {
    for (const [path, content] of Object.entries(files)) this.incoming.set(fileKey(attempt, path), Buffer.from(content));
    const manifest: Manifest = { ...manifestOf(attempt, files), ...notThere };
    this.incoming.set(manifestKey(attempt), Buffer.from(JSON.stringify(manifest)));
    return manifest.artifacts;
  }

  uploaded(attempt: AttemptRef): Promise<Upload | undefined> {
    return this.interruptions.call("uploaded", () => {
      const text = this.incoming.get(manifestKey(attempt))?.toString();
      return text === undefined ? undefined : readManifest(attempt, text);
    });
  }

  seal(attempt: AttemptRef, file: UploadedFile): ReturnType<Artifacts["seal"]> {
    return this.interruptions.call("seal", () => {
      const key = sealedFileKey(attempt, file.path);
      if (Buffer.byteLength(key) > 1024) return { kind: "lost", because: "its path is too long" } as const;
      const plain = this.incoming.get(fileKey(attempt, file.path));
      if (plain === undefined) return { kind: "lost", because: "it was not uploaded" } as const;
      if (plain.length !== file.bytes || sha256(plain) !== file.sha256) {
        return { kind: "lost", because: "it does not have the checksum that the worker computed" } as const;
      }
      this.sealed.set(key, encrypt(attempt, file.path, plain));
      return { kind: "sealed", artifact: { ...file, key } } as const;
    });
  }

  sealedList(attempt: AttemptRef): Promise<Listed | undefined> {
    return this.interruptions.call("sealedList", () => this.listed(attempt));
  }

  sealList(manifest: Listed): Promise<void> {
    return this.interruptions.call("sealList", () => {
      const plain = Buffer.from(JSON.stringify(manifest));
      this.sealed.set(sealedManifestKey(manifest), encrypt(manifest, sealedManifestPath, plain));
    });
  }

  list(attempt: AttemptRef): Promise<Listed | undefined> {
    return this.interruptions.call("list", () => this.listed(attempt));
  }

  /** Returns the sealed list, without a call that could fail. */
  listed(attempt: AttemptRef): Listed | undefined {
    const sealed = this.sealed.get(sealedManifestKey(attempt));
    return sealed && SealedManifestFile.parse(JSON.parse(decrypt(attempt, sealedManifestPath, sealed).toString()));
  }

  async open(attempt: AttemptRef, artifact: SealedArtifact, file: string | Buffer): Promise<void> {
    const plain = await this.interruptions.call("open", () => {
      const sealed = this.sealed.get(artifact.key);
      if (sealed === undefined) throw new FleetError("missing", `There is no sealed file ${artifact.key}`);
      return decrypt(attempt, artifact.path, sealed);
    });
    if (plain.length !== artifact.bytes || sha256(plain) !== artifact.sha256) {
      throw new FleetError("not-opened", "not the bytes that were sealed");
    }
    await mkdir(dirname(file.toString()), { recursive: true });
    await rm(file, { force: true });
    await writeFile(file, plain, { mode: artifact.mode });
  }

  /** Returns the content of a sealed file, or undefined if it is missing or does not open with this attempt's context. */
  opened(attempt: AttemptRef, artifact: SealedArtifact): Buffer | undefined {
    const sealed = this.sealed.get(artifact.key);
    try {
      return sealed && decrypt(attempt, artifact.path, sealed);
    } catch {
      return undefined;
    }
  }
}

/** Returns the manifest of an attempt that left these files, and nothing out. */
export function manifestOf({ team, job, attempt }: AttemptRef, files: Readonly<Record<string, string | Buffer>>): Manifest {
  const artifacts = Object.entries(files).map(([path, content]) => {
    const bytes = Buffer.from(content);
    return { path, bytes: bytes.length, sha256: sha256(bytes), mode: 0o644 };
  });
  return { version: 2, team, job, attempt, artifacts, leftOut: [], missing: [] };
}

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const keyOf = (team: string): Buffer => createHash("sha256").update(`key of ${team}`).digest();
const contextOf = ({ team, job, attempt }: AttemptRef, path: string): Buffer => Buffer.from(JSON.stringify([team, job, attempt, path]));

function encrypt(attempt: AttemptRef, path: string, plain: Buffer): Buffer {
  // The IV depends on the content, so that the same run seals the same bytes, and no two contents share an IV.
  const iv = createHash("sha256").update(contextOf(attempt, path)).update(plain).digest().subarray(0, 12);
  const cipher = createCipheriv("aes-256-gcm", keyOf(attempt.team), iv).setAAD(contextOf(attempt, path));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]);
}

function decrypt(attempt: AttemptRef, path: string, sealed: Buffer): Buffer {
  try {
    const decipher = createDecipheriv("aes-256-gcm", keyOf(attempt.team), sealed.subarray(0, 12));
    decipher.setAAD(contextOf(attempt, path)).setAuthTag(sealed.subarray(12, 28));
    return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
  } catch (cause) {
    throw new FleetError("not-opened", `${path} could not be opened`, { cause });
  }
}
