import { CreateAliasCommand, CreateKeyCommand } from "@aws-sdk/client-kms";
import * as z from "zod";
import { kind, Tags } from "./kind.ts";

export const key = kind({
  type: "AWS::KMS::Key",
  properties: z.strictObject({ Description: z.string().optional(), Tags }),
  // A year's rotation and the key's policy have no effect on the emulator.
  harmless: ["EnableKeyRotation", "KeyPolicy", "PendingWindowInDays"],
  create: async ({ Description, Tags }, _place, { clients }) => {
    const Tagged = Tags.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value }));
    const made = await clients.kms.send(new CreateKeyCommand({ Description, Tags: Tagged }));
    const id = made.KeyMetadata?.KeyId ?? "";
    return { ref: id, attributes: { Arn: made.KeyMetadata?.Arn ?? "", KeyId: id } };
  },
});

export const alias = kind({
  type: "AWS::KMS::Alias",
  properties: z.strictObject({ AliasName: z.string(), TargetKeyId: z.string() }),
  create: async (properties, _place, { clients }) => {
    await clients.kms.send(new CreateAliasCommand(properties));
    return { ref: properties.AliasName, attributes: {} };
  },
});
