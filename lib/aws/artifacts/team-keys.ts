import { DescribeKeyCommand, type KMSClient } from "@aws-sdk/client-kms";
import { FleetError } from "../../model/fleet-error.ts";
import { awsErrorKind } from "../errors.ts";

/** Returns the ARN of a team's KMS key. */
export type TeamKeys = (team: string) => Promise<string>;

/**
 * The alias of a team's key is `prefix` and the team's name. Sealed files name their key by ARN, so opening one needs the ARN,
 * which is looked up once per process.
 */
export const teamKeys = (kms: Pick<KMSClient, "send">, prefix: string): TeamKeys => {
  const known = new Map<string, Promise<string>>();
  return (team) => {
    const found = known.get(team) ?? keyArn(kms, `${prefix}${team}`);
    known.set(team, found);
    // Failures are not remembered.
    found.catch(() => known.delete(team));
    return found;
  };
};

async function keyArn(kms: Pick<KMSClient, "send">, alias: string): Promise<string> {
  try {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: alias }));
    if (KeyMetadata?.Arn) return KeyMetadata.Arn;
  } catch (error) {
    const kind = awsErrorKind(error);
    if (kind === "denied") throw new FleetError("denied", `Not allowed to use the key ${alias}`, { cause: error });
    if (kind !== "missing") throw new FleetError("key", `The key ${alias} could not be looked up`, { retry: true, cause: error });
  }
  throw new FleetError("missing", `There is no key ${alias}`);
}
