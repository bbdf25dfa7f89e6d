import { type CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { GetRoleCommand, type IAMClient } from "@aws-sdk/client-iam";
import { DescribeKeyCommand, type KMSClient } from "@aws-sdk/client-kms";
import { GetParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";
import { awsErrorKind } from "../errors.ts";
import { allPages } from "../pages.ts";

/** `arn` names the account and the region that hold the parameter. Public parameters of AWS have no account. */
export type StoredParameter = { readonly value: string; readonly arn: string; readonly changedAtMs: number | undefined };

/** `actions`: whom it notifies when it goes off; none if its actions are disabled. */
export type AlarmStanding = { readonly name: string; readonly state: string; readonly why: string; readonly actions: readonly string[] };

/** Returns a parameter, or undefined if there is none of this name. */
export const storedParameter = (ssm: Pick<SSMClient, "send">, name: string): Promise<StoredParameter | undefined> =>
  orUndefined(async () => {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: name }));
    if (Parameter?.Value === undefined) return undefined;
    return { value: Parameter.Value, arn: Parameter.ARN ?? "", changedAtMs: Parameter.LastModifiedDate?.getTime() };
  });

/** Returns the state of a key, for example `Enabled` or `PendingDeletion`, or undefined if there is no such key or alias. */
export const keyState = (kms: Pick<KMSClient, "send">, keyOrAlias: string): Promise<string | undefined> =>
  orUndefined(async () => (await kms.send(new DescribeKeyCommand({ KeyId: keyOrAlias }))).KeyMetadata?.KeyState ?? "unknown");

export const roleExists = async (iam: Pick<IAMClient, "send">, name: string): Promise<boolean> =>
  (await orUndefined(async () => (await iam.send(new GetRoleCommand({ RoleName: name }))).Role)) !== undefined;

/** Returns the alarms whose names begin with the prefix. */
export async function alarmStandings(cloudwatch: Pick<CloudWatchClient, "send">, prefix: string): Promise<readonly AlarmStanding[]> {
  const alarms = await allPages(async (NextToken) => {
    const page = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: prefix, AlarmTypes: ["MetricAlarm"], NextToken }));
    return { items: page.MetricAlarms, next: page.NextToken };
  });
  return alarms.map(({ AlarmName = "unknown", StateValue = "unknown", StateReason = "", ActionsEnabled = true, AlarmActions = [] }) => ({
    name: AlarmName,
    state: StateValue,
    why: StateReason,
    actions: ActionsEnabled ? AlarmActions : [],
  }));
}

async function orUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (awsErrorKind(error) === "missing") return undefined;
    throw error;
  }
}
