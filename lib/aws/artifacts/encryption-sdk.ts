import { AlgorithmSuiteIdentifier, buildClient, CommitmentPolicy, KmsKeyringNode } from "@aws-crypto/client-node";

/** Allows one data key per message, because Fleetwright never seals a file under a second key. */
const client = buildClient({ commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, maxEncryptedDataKeys: 1 });

/** The parts of the AWS Encryption SDK that sealing uses. They are a third of a bundle's code, so they are imported only when they are needed. */
export const encryptionSdk = {
  ...client,
  suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
  Keyring: KmsKeyringNode,
};
