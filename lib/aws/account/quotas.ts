import { GetAWSDefaultServiceQuotaCommand, GetServiceQuotaCommand, type ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { awsErrorKind } from "../errors.ts";

/**
 * Returns the value of a quota, or undefined if Service Quotas does not know the quota. An account has no value of its own for a quota that it
 * never used, so AWS's default applies then.
 */
export async function quotaValue(
  quotas: Pick<ServiceQuotasClient, "send">,
  { service, code }: { readonly service: string; readonly code: string },
): Promise<number | undefined> {
  const of = { ServiceCode: service, QuotaCode: code };
  const applied = await unlessMissing(async () => (await quotas.send(new GetServiceQuotaCommand(of))).Quota?.Value);
  return applied ?? unlessMissing(async () => (await quotas.send(new GetAWSDefaultServiceQuotaCommand(of))).Quota?.Value);
}

async function unlessMissing(read: () => Promise<number | undefined>): Promise<number | undefined> {
  try {
    return await read();
  } catch (error) {
    if (awsErrorKind(error) === "missing") return undefined;
    throw error;
  }
}
