import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { Fault } from "../../model/fault.ts";
import { type ClientSettings, common, small } from "./settings.ts";

export const stsClient = (settings: ClientSettings = {}): STSClient => new STSClient(common(settings, small));

/** Long enough for a slow line, and short enough to wait for. */
const longestMs = 3_000;

/** The account that the client's credentials belong to. Throws within a few seconds if it cannot be known. */
export async function callerAccount(sts: Pick<STSClient, "send">): Promise<string> {
  const { Account } = await sts.send(new GetCallerIdentityCommand({}), { abortSignal: AbortSignal.timeout(longestMs) });
  if (Account === undefined) throw new Fault("no-account", "STS named no account");
  return Account;
}
