import type { Duplex } from "node:stream";
import { AlgorithmSuiteIdentifier, buildClient, CommitmentPolicy, KmsKeyringNode } from "@aws-crypto/client-node";
import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand, type KMSClient } from "@aws-sdk/client-kms";
import { Fault } from "../model/fault.ts";
import type { AttemptRef } from "../model/job.ts";
import { awsErrorCode, awsErrorKind, isDefinite } from "./errors.ts";

/** What a sealed file is bound to: it opens with exactly these, and under its team's key, or not at all. */
export type SealContext = { readonly team: string; readonly job: string; readonly attempt: string; readonly path: string };

export const sealContext = ({ team, job, attempt }: AttemptRef, path: string): SealContext => ({ team, job, attempt: `${attempt}`, path });

/** One data key a message: a file that could also be opened with somebody else's key is none of ours. */
const sdk = buildClient({ commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, maxEncryptedDataKeys: 1 });

/** Bytes encrypted under one tag; so much is held in memory at a time. */
const frameBytes = 64 * 1024;

/**
 * The envelope around each artifact: AWS Encryption SDK, message format 2, AES-256-GCM with key commitment and without
 * signature, so that a reader can release each frame as soon as it is authenticated. Closing the whole message is checked
 * by the SDK, and the checksum of the plaintext by whoever reads.
 */
export function encrypting(kms: Pick<KMSClient, "send">, keyArn: string, context: SealContext): Duplex {
  const stream: Duplex = sdk.encryptStream(
    keyring(kms, keyArn, (error) => stream.destroy(keyFault(error))),
    {
      suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
      encryptionContext: { ...context },
      frameLength: frameBytes,
    },
  );
  return stream.on("error", heard);
}

/** Refuses a message under another key, with another context, with a signature, or with frames larger than we write. */
export function decrypting(kms: Pick<KMSClient, "send">, keyArn: string, context: SealContext): Duplex {
  const stream: Duplex = sdk.decryptUnsignedMessageStream(
    keyring(kms, keyArn, (error) => stream.destroy(keyFault(error))),
    { maxBodySize: frameBytes },
  );
  stream.once("MessageHeader", (header: { readonly encryptionContext: Readonly<Record<string, string>> }) => {
    if (!same(header.encryptionContext, context)) {
      stream.destroy(new Fault("wrong-context", "The file was sealed for another team, job, attempt or path"));
    }
  });
  return stream.on("error", heard);
}

function same(found: Readonly<Record<string, string>>, expected: SealContext): boolean {
  const wanted = Object.entries(expected);
  return Object.keys(found).length === wanted.length && wanted.every(([key, value]) => found[key] === value);
}

/** The SDK may say a second time what went wrong, after a pipeline has ended and nobody listens: that must not end the process. */
const heard = (): void => undefined;

type OnKmsError = (error: unknown) => void;

/** KMS's own errors reach the caller through `onError`: the keyring would only quote them in a message. */
function keyring(kms: Pick<KMSClient, "send">, keyArn: string, onError: OnKmsError): KmsKeyringNode {
  const ask = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      onError(error);
      throw error;
    }
  };
  return new KmsKeyringNode({
    generatorKeyId: keyArn,
    // The ARN's region is the client's own: keys are never used across regions.
    clientProvider: () => ({
      generateDataKey: async (request) => present(await ask(kms.send(new GenerateDataKeyCommand(request)))),
      encrypt: async (request) => present(await ask(kms.send(new EncryptCommand(request)))),
      decrypt: async (request) => present(await ask(kms.send(new DecryptCommand(request)))),
    }),
  });
}

/** The SDK's answers, without what is undefined in them. */
function present(answer: {
  readonly KeyId?: string | undefined;
  readonly Plaintext?: Uint8Array | undefined;
  readonly CiphertextBlob?: Uint8Array | undefined;
}) {
  const { KeyId, Plaintext, CiphertextBlob } = answer;
  return { ...(KeyId && { KeyId }), ...(Plaintext && { Plaintext }), ...(CiphertextBlob && { CiphertextBlob }) };
}

function keyFault(error: unknown): Fault {
  const denied = awsErrorKind(error) === "denied";
  const why = error instanceof Error ? error.message : String(error);
  return new Fault(denied ? "denied" : "key", `KMS did not use the team's key: ${awsErrorCode(error)}: ${why}`, {
    retry: !isDefinite(error),
    cause: error,
  });
}
