import * as z from "zod";
import type { AccessRequest } from "../policy/verdict.ts";
import { bodyOf, type Describe, onAll, operationOf, type ResourceFacts, tagContext } from "./facts.ts";

const OnKey = z.looseObject({ KeyId: z.string().optional(), EncryptionContext: z.record(z.string(), z.string()).default({}) });

/** Returns what a call to KMS asks for. */
export const onKms: Describe = (call, facts) => {
  const action = `kms:${operationOf(call)}`;
  const { KeyId, EncryptionContext = {} } = bodyOf(call, OnKey) ?? {};
  return KeyId === undefined ? onAll(action) : [keyRequest(action, KeyId, { facts, encryptionContext: EncryptionContext })];
};

/** A request for the use of a key. `via`: the service that uses it for the caller, for example `s3`. */
export function keyRequest(
  action: string,
  name: string,
  on: { facts: ResourceFacts; encryptionContext: Readonly<Record<string, string>>; via?: string },
): AccessRequest {
  const { facts, encryptionContext, via } = on;
  const key = facts.key(name);
  const context = Object.entries(encryptionContext).map(
    ([each, value]) => [`kms:encryptioncontext:${each.toLowerCase()}`, [value]] as const,
  );
  return {
    action,
    // An unknown key has no ARN here. The key's name lets no policy for certain keys match.
    resource: key?.arn ?? name,
    context: {
      ...Object.fromEntries(context),
      ...tagContext("resource", key?.tags ?? {}),
      ...(via !== undefined && { "kms:viaservice": [`${via}.${facts.region}.amazonaws.com`] }),
    },
  };
}
