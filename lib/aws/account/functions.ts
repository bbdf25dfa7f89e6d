import {
  GetAccountSettingsCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  ListEventSourceMappingsCommand,
} from "@aws-sdk/client-lambda";
import { FleetError } from "../../model/fleet-error.ts";
import { allPages } from "../pages.ts";

/** How many functions of an account may run at a time: in all, and those without a reservation of their own together. */
export type AccountConcurrency = { readonly concurrent: number; readonly unreserved: number };

export async function accountConcurrency(lambda: Pick<LambdaClient, "send">): Promise<AccountConcurrency> {
  const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}));
  const { ConcurrentExecutions: concurrent, UnreservedConcurrentExecutions: unreserved } = AccountLimit ?? {};
  if (concurrent === undefined || unreserved === undefined) throw new FleetError("no-limit", "Lambda returned no limit of concurrent runs");
  return { concurrent, unreserved };
}

/** Returns the environment of a function. */
export async function functionVariables(lambda: Pick<LambdaClient, "send">, name: string): Promise<Readonly<Record<string, string>>> {
  const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
  return Environment?.Variables ?? {};
}

/** Returns how many batches the queues of these functions may have handled at a time. Queues without a maximum are not counted. */
export async function queueConcurrency(lambda: Pick<LambdaClient, "send">, functions: readonly string[]): Promise<number> {
  const mappings = await allPages(async (Marker) => {
    const page = await lambda.send(new ListEventSourceMappingsCommand({ Marker }));
    return { items: page.EventSourceMappings, next: page.NextMarker };
  });
  const own = mappings.filter(({ FunctionArn = "" }) => functions.includes(FunctionArn.split(":")[6] ?? ""));
  return own.reduce((sum, { ScalingConfig }) => sum + (ScalingConfig?.MaximumConcurrency ?? 0), 0);
}
