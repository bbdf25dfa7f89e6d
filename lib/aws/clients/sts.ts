import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { FleetError } from "../../model/fleet-error.ts";
import { type ClientSettings, common, small } from "./settings.ts";

export const stsClient = (settings: ClientSettings = {}): STSClient => new STSClient(common(settings, small));

/** Long enough for a slow connection, and short enough for a person to wait for. */
const longestMs = 3_000;

/** Returns the account of the client's credentials. Throws within a few seconds if STS does not respond. */
export async function callerAccount(sts: Pick<STSClient, "send">): Promise<string> {
  const { Account } = await sts.send(new GetCallerIdentityCommand({}), { abortSignal: AbortSignal.timeout(longestMs) });
  if (Account === undefined) throw new FleetError("no-account", "STS returned no account");
  return Account;
}
