import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileKey, Manifest, manifestKey } from "../../../events/upload.ts";
import { Fault } from "../../model/fault.ts";
import type { AttemptRef, SealedArtifact } from "../../model/job.ts";
import type { ArtifactReader, Artifacts, UploadedFile } from "../../ports/artifacts.ts";
import { Interruptions } from "./interruptions.ts";

type Method = "uploaded" | "seal" | "open";

/** Both buckets and the teams' keys, in memory. What it seals is sealed: AES-GCM under the team's key, bound to the context. */
export class MemoryArtifacts implements Artifacts, ArtifactReader {
  readonly incoming = new Map<string, Buffer>();
  readonly sealed = new Map<string, Buffer>();
  readonly interruptions = new Interruptions<Method>();

  /** Uploads as a worker does: the files, and last the manifest. */
  upload(attempt: AttemptRef, files: Readonly<Record<string, string | Buffer>>): readonly UploadedFile[] {
    const artifacts = Object.entries(files).map(([path, content]) => {
      const bytes = Buffer.from(content);
      this.incoming.set(fileKey(attempt, path), bytes);
      return { path, bytes: bytes.length, sha256: sha256(bytes), mode: 0o644 };
    });
    const { team, job, attempt: number } = attempt;
    const manifest: Manifest = { version: 2, team, job, attempt: number, artifacts, leftOut: [], missing: [] };
    this.incoming.set(manifestKey(attempt), Buffer.from(JSON.stringify(manifest)));
    return artifacts;
  }

  uploaded(attempt: AttemptRef): Promise<readonly UploadedFile[] | undefined> {
    return this.interruptions.call("uploaded", () => {
      const text = this.incoming.get(manifestKey(attempt))?.toString();
      return text === undefined ? undefined : filesOf(attempt, text);
    });
  }

  seal(attempt: AttemptRef, file: UploadedFile): ReturnType<Artifacts["seal"]> {
    return this.interruptions.call("seal", () => {
      const plain = this.incoming.get(fileKey(attempt, file.path));
      if (plain === undefined) return { kind: "missing" } as const;
      if (plain.length !== file.bytes || sha256(plain) !== file.sha256) return { kind: "corrupt" } as const;
      const key = `${attempt.team}/${attempt.job}/${attempt.attempt}/${file.path}.sealed`;
      this.sealed.set(key, encrypt(attempt, file.path, plain));
      const { path, bytes, sha256: hash } = file;
      return { kind: "sealed", artifact: { path, bytes, sha256: hash, key } } as const;
    });
  }

  async open(attempt: AttemptRef, artifact: SealedArtifact, file: string): Promise<void> {
    const plain = await this.interruptions.call("open", () => {
      const sealed = this.sealed.get(artifact.key);
      if (sealed === undefined) throw new Fault("missing", `There is no sealed file ${artifact.key}`);
      return decrypt(attempt, artifact.path, sealed);
    });
    if (plain.length !== artifact.bytes || sha256(plain) !== artifact.sha256) {
      throw new Fault("not-opened", "not the bytes that were sealed");
    }
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, plain);
  }

  /** What was sealed, if it is there and opens as this attempt's. */
  opened(attempt: AttemptRef, artifact: SealedArtifact): Buffer | undefined {
    const sealed = this.sealed.get(artifact.key);
    try {
      return sealed && decrypt(attempt, artifact.path, sealed);
    } catch {
      return undefined;
    }
  }
}

function filesOf(attempt: AttemptRef, text: string): readonly UploadedFile[] {
  const parsed = Manifest.safeParse(jsonOf(text));
  if (!parsed.success) throw new Fault("manifest", parsed.error.message);
  const { team, job, attempt: number, artifacts } = parsed.data;
  if (team !== attempt.team || job !== attempt.job || number !== attempt.attempt) throw new Fault("manifest", "of another attempt");
  if (new Set(artifacts.map(({ path }) => path)).size < artifacts.length) throw new Fault("manifest", "names a path twice");
  return artifacts;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Fault("manifest", "not JSON", { cause });
  }
}

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const keyOf = (team: string): Buffer => createHash("sha256").update(`key of ${team}`).digest();
const contextOf = ({ team, job, attempt }: AttemptRef, path: string): Buffer => Buffer.from(JSON.stringify([team, job, attempt, path]));

function encrypt(attempt: AttemptRef, path: string, plain: Buffer): Buffer {
  // Of what it seals: the same run seals the same bytes, and no two texts share one.
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
    throw new Fault("not-opened", `${path} could not be opened`, { cause });
  }
}
