/** Calls to MiniStack that AWS's APIs do not have. emulators/serve.py adds them. */
import * as z from "zod";
import { FleetError } from "../../model/fleet-error.ts";
import { account } from "../provision/world.ts";
import { type IssuedCredentials, type Principal, sessionArn, userId } from "../requests/identities.ts";

export type ServiceEvent = {
  readonly source: string;
  readonly detailType: string;
  readonly resources?: readonly string[];
  readonly detail: unknown;
};

const Taken = z.looseObject({ FailedEntryCount: z.literal(0) });

/** Puts an AWS service's event on the default bus, because PutEvents refuses sources `aws.*`. Throws a FleetError if it was refused. */
export async function publishServiceEvent(ministackUrl: string, event: ServiceEvent): Promise<void> {
  const entry = {
    Source: event.source,
    DetailType: event.detailType,
    Resources: event.resources ?? [],
    Detail: JSON.stringify(event.detail),
  };
  const text = await post(`${ministackUrl}/_service-events`, { Entries: [entry] });
  if (!Taken.safeParse(JSON.parse(text)).success)
    throw new FleetError("ministack", `MiniStack refused the event ${event.detailType}: ${text}`, { retry: true });
}

/** Registers credentials with STS, and with S3, which verifies presigned URLs with them. */
export async function registerCredentials(ministackUrl: string, principal: Principal, credentials: IssuedCredentials): Promise<void> {
  await post(`${ministackUrl}/_credentials`, {
    accessKeyId: credentials.accessKeyId,
    session: {
      Arn: sessionArn(principal, account),
      UserId: userId(principal),
      SecretAccessKey: credentials.secretAccessKey,
      SessionToken: credentials.sessionToken,
      Expiration: credentials.expiresAtMs / 1000,
      AccountId: account,
      PrincipalType: "AssumedRole",
    },
  });
}

async function post(url: string, what: object): Promise<string> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(what), signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  if (!response.ok) throw new FleetError("ministack", `MiniStack returned ${response.status}: ${text.slice(0, 300)}`, { retry: true });
  return text;
}
