import { Duplex } from "node:stream";
import type { KmsKeyringNode } from "@aws-crypto/client-node";
import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand, type KMSClient } from "@aws-sdk/client-kms";
import { inWords } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { AttemptRef } from "../../model/job.ts";
import { awsErrorCode, awsErrorKind, isDefinite } from "../errors.ts";

/** The encryption context of a sealed file, which can be opened only with exactly these values and its team's key. */
export type SealContext = { readonly team: string; readonly job: string; readonly attempt: string; readonly path: string };

export const sealContext = ({ team, job, attempt }: AttemptRef, path: string): SealContext => ({ team, job, attempt: `${attempt}`, path });

/** Loads the SDK through a file of ours, because names that its package passes on from others are not found by a bundle's `import()`. */
const loadSdk = async () => (await import("./encryption-sdk.ts")).encryptionSdk;

/** Bytes per authenticated frame, which are held in memory at a time. */
const frameBytes = 64 * 1024;

/**
 * Returns a stream that encrypts an artifact: AWS Encryption SDK, message format 2, AES-256-GCM with key commitment and without
 * a signature, so that a reader can release each frame as soon as it is authenticated. The SDK checks that the message is
 * complete, and the reader must check the plaintext's checksum.
 */
export async function encrypting(kms: Pick<KMSClient, "send">, keyArn: string, context: SealContext): Promise<Duplex> {
  const { encryptStream, suiteId, Keyring } = await loadSdk();
  const cipher = encryptStream(new Keyring(keyOf(kms, keyArn, (error) => outer.destroy(keyFault(error)))), {
    suiteId,
    encryptionContext: { ...context },
    frameLength: frameBytes,
  });
  const outer = shielding(cipher);
  return outer;
}

/**
 * Wraps the SDK's encrypting stream, which throws an uncatchable error if it is destroyed halfway. If the outer stream is
 * destroyed, the inner one is therefore ended normally, and its output is discarded.
 */
function shielding(inner: Duplex): Duplex {
  const outer: Duplex = new Duplex({
    read: () => void inner.resume(),
    write(chunk: Buffer, _encoding, done) {
      if (inner.write(chunk)) done();
      else inner.once("drain", done);
    },
    final(done) {
      inner.end();
      done();
    },
    destroy(error, done) {
      if (!inner.writableEnded) inner.end();
      inner.resume();
      done(error);
    },
  });
  inner.on("data", (chunk: Buffer) => {
    if (!outer.destroyed && !outer.push(chunk)) inner.pause();
  });
  inner.once("end", () => void (outer.destroyed || outer.push(null)));
  inner.on("error", (error) => outer.destroy(error));
  return outer;
}

/** Returns a decrypting stream. It refuses another key, another context, a signature, and frames larger than `encrypting` writes. */
export async function decrypting(kms: Pick<KMSClient, "send">, keyArn: string, context: SealContext): Promise<Duplex> {
  const { decryptUnsignedMessageStream, Keyring } = await loadSdk();
  // KMS's error is emitted at once, before the keyring wraps it in a message of its own.
  const plain: Duplex = decryptUnsignedMessageStream(new Keyring(keyOf(kms, keyArn, (error) => plain.emit("error", keyFault(error)))), {
    maxBodySize: frameBytes,
  });
  plain.once("MessageHeader", (header: { readonly encryptionContext: Readonly<Record<string, string>> }) => {
    if (!same(header.encryptionContext, context)) {
      plain.emit("error", new FleetError("wrong-context", "The file was sealed for another team, job, attempt or path"));
    }
  });
  // The SDK may emit the error again after the pipeline has ended, when nothing listens any more.
  return plain.on("error", () => undefined);
}

function same(found: Readonly<Record<string, string>>, expected: SealContext): boolean {
  const wanted = Object.entries(expected);
  return Object.keys(found).length === wanted.length && wanted.every(([key, value]) => found[key] === value);
}

type OnKmsError = (error: unknown) => void;

/** Returns the key as input of a keyring. Passes KMS's errors to `onError`, because the keyring itself would only quote them in a message. */
function keyOf(kms: Pick<KMSClient, "send">, keyArn: string, onError: OnKmsError): ConstructorParameters<typeof KmsKeyringNode>[0] {
  const call = async <T>(response: Promise<T>): Promise<T> => {
    try {
      return await response;
    } catch (error) {
      onError(error);
      throw error;
    }
  };
  return {
    generatorKeyId: keyArn,
    // One client is enough, because keys are never used across regions.
    clientProvider: () => ({
      generateDataKey: async (request) => present(await call(kms.send(new GenerateDataKeyCommand(request)))),
      encrypt: async (request) => present(await call(kms.send(new EncryptCommand(request)))),
      decrypt: async (request) => present(await call(kms.send(new DecryptCommand(request)))),
    }),
  };
}

/** Returns the SDK's response without undefined fields. */
function present(response: {
  readonly KeyId?: string | undefined;
  readonly Plaintext?: Uint8Array | undefined;
  readonly CiphertextBlob?: Uint8Array | undefined;
}) {
  const { KeyId, Plaintext, CiphertextBlob } = response;
  return { ...(KeyId && { KeyId }), ...(Plaintext && { Plaintext }), ...(CiphertextBlob && { CiphertextBlob }) };
}

function keyFault(error: unknown): FleetError {
  const denied = awsErrorKind(error) === "denied";
  return new FleetError(denied ? "denied" : "key", `KMS could not use the team's key: ${awsErrorCode(error)}: ${inWords(error)}`, {
    retry: !isDefinite(error),
    cause: error,
  });
}
