import { DecryptCommand } from "@aws-sdk/client-kms";
import { beforeAll, describe, expect, test } from "vitest";
import { outboxContext } from "../../events/outbox/outbox.ts";
import { kmsOutboxKeys } from "../../lib/aws/access/outbox-keys.ts";
import { memoryOutboxKeys } from "../../lib/sim/memory/job-access.ts";
import { sealingStage } from "./sealing-stage.ts";

const { kms, keyAliasPrefix, open } = sealingStage();
beforeAll(open);

const of = { node: "i-0123456789abcdef0", team: "vision", job: "train-1", attempt: 2 };

describe.each([
  ["KMS", () => kmsOutboxKeys(kms, keyAliasPrefix)],
  ["memory", () => memoryOutboxKeys],
])("the keys of outboxes from %s", (_from, keys) => {
  test("a key has 256 bits, and another attempt or node gets another one", async () => {
    const all = await Promise.all([of, { ...of, attempt: 3 }, { ...of, node: "i-0123456789abcdef1" }].map((each) => keys().generate(each)));
    expect(all.map(({ dataKey }) => Buffer.from(dataKey, "base64").length)).toEqual([32, 32, 32]);
    expect(new Set(all.map(({ dataKey }) => dataKey)).size).toBe(3);
    expect(new Set(all.map(({ wrappedKey }) => wrappedKey)).size).toBe(3);
  });
});

describe("the keys of outboxes from KMS", () => {
  test("a key can be unwrapped only for its own team, job, attempt and node", async () => {
    const { dataKey, wrappedKey } = await kmsOutboxKeys(kms, keyAliasPrefix).generate(of);
    const unwrapped = (EncryptionContext: Record<string, string>) =>
      kms.send(new DecryptCommand({ CiphertextBlob: Buffer.from(wrappedKey, "base64"), EncryptionContext }));
    const { Plaintext } = await unwrapped(outboxContext(of));
    expect(Buffer.from(Plaintext ?? []).toString("base64")).toBe(dataKey);
    for (const other of [{ attempt: 3 }, { job: "train-2" }, { node: "i-0123456789abcdef1" }])
      await expect(unwrapped(outboxContext({ ...of, ...other }))).rejects.toMatchObject({ name: "InvalidCiphertextException" });
  });

  test("a team without a key gets none", async () => {
    await expect(kmsOutboxKeys(kms, keyAliasPrefix).generate({ ...of, team: "nobody" })).rejects.toMatchObject({
      name: "NotFoundException",
    });
  });
});
