import { GenerateDataKeyCommand, type KMSClient } from "@aws-sdk/client-kms";
import { outboxContext } from "../../../events/outbox/outbox.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { OutboxKeys } from "../../ports/islands/outboxes.ts";

/** Generates keys under the teams' KMS keys, whose aliases are `prefix` and the team's name. */
export const kmsOutboxKeys = (kms: Pick<KMSClient, "send">, prefix: string): OutboxKeys => ({
  async generate(of) {
    const { Plaintext, CiphertextBlob } = await kms.send(
      new GenerateDataKeyCommand({ KeyId: `${prefix}${of.team}`, KeySpec: "AES_256", EncryptionContext: outboxContext(of) }),
    );
    if (!Plaintext || !CiphertextBlob) throw new FleetError("key", "KMS returned no data key", { retry: true });
    return { dataKey: Buffer.from(Plaintext).toString("base64"), wrappedKey: Buffer.from(CiphertextBlob).toString("base64") };
  },
});
