import { GetCallerIdentityCommand, type STSClient } from "@aws-sdk/client-sts";
import { FleetError } from "../../model/fleet-error.ts";

/** A clock of AWS, from the `Date` of a response, next to this machine's clock at the same moment, both in ms. */
export type TwoClocks = { readonly awsMs: number; readonly hereMs: number };

export type Caller = { readonly account: string; readonly arn: string };

/** Who AWS says that the caller is, or the error. The clocks are known if any response arrived, also one that refused the call. */
export type WhoAmI = { readonly clocks: TwoClocks | undefined } & ({ readonly caller: Caller } | { readonly error: unknown });

/**
 * Asks STS who the caller is. The SDK repeats a call that AWS refused because of this machine's clock, with the time corrected, so only the
 * header shows that the clock is wrong. The first response counts.
 */
export async function whoAmI(sts: STSClient, now: () => number): Promise<WhoAmI> {
  let clocks: TwoClocks | undefined;
  sts.middlewareStack.add(
    (next) => async (args) => {
      const sentMs = now();
      const result = await next(args);
      clocks ??= clocksOf(result.response, { sentMs, receivedMs: now() });
      return result;
    },
    // The closest to the wire, where errors are still responses.
    { name: "readClock", step: "deserialize", priority: "low", override: true },
  );
  try {
    const { Account, Arn } = await sts.send(new GetCallerIdentityCommand({}));
    if (Account === undefined) throw new FleetError("no-account", "STS returned no account");
    return { clocks, caller: { account: Account, arn: Arn ?? "unknown" } };
  } catch (error) {
    return { clocks, error };
  }
}

/** The header has whole seconds, so half a second is added. */
function clocksOf(response: unknown, { sentMs, receivedMs }: { sentMs: number; receivedMs: number }): TwoClocks | undefined {
  const headers = (response as { readonly headers?: Readonly<Record<string, string>> } | undefined)?.headers;
  const awsMs = Date.parse(headers?.["date"] ?? "");
  return Number.isNaN(awsMs) ? undefined : { awsMs: awsMs + 500, hereMs: (sentMs + receivedMs) / 2 };
}
