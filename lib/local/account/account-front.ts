/**
 * What the account itself says of its limits and of this stack's functions and alarms, which live in this process. The limits are made up:
 * nothing here enforces them. They are those of an account that has grown, so that a sound deployment has no findings.
 */
import type { IncomingHttpHeaders } from "node:http";
import * as z from "zod";
import { jsonOf } from "../../../events/json.ts";
import type { AlarmView } from "../cloudwatch/alarms.ts";
import { arn, type Blueprint } from "../provision/world.ts";
import type { HttpCall, HttpResponse } from "../requests/http.ts";
import { signedFor } from "../requests/service-of.ts";

/** The most functions that the account may run at a time, and Lambda's default. */
const concurrentRuns = 1_000;
/** AWS's default quota of VPCs, and a quota of vCPUs for every class of instances. */
const quotas = { vpcs: 5, vcpus: 1_000 } as const;

const configurationPath = /^\/2015-03-31\/functions\/([^/?]+)\/configuration(?:\?|$)/;
const Quota = z.object({ ServiceCode: z.string(), QuotaCode: z.string() });
const Alarms = z.object({ AlarmNamePrefix: z.string().default("") });

export type AccountFront = {
  /** Reports whether a call is handled here. All others go where they went without this front. */
  takes(path: string, headers: IncomingHttpHeaders): boolean;
  handle(call: HttpCall): Promise<HttpResponse>;
};

type Respond = (call: HttpCall) => HttpResponse;
/** A call that is handled here: by its path in REST protocols, and by its header `X-Amz-Target` in the others. */
type Served = { readonly service: string; readonly path?: RegExp; readonly target?: RegExp; readonly respond: Respond };

export function createAccountFront(of: {
  readonly blueprint: Pick<Blueprint, "functions" | "eventSources">;
  readonly alarms: () => readonly AlarmView[];
}): AccountFront {
  const { functions, eventSources } = of.blueprint;
  const reserved = (): number => functions.reduce((sum, { maximumConcurrency = 0 }) => sum + maximumConcurrency, 0);

  const settings: Respond = () =>
    json({
      AccountLimit: { ConcurrentExecutions: concurrentRuns, UnreservedConcurrentExecutions: concurrentRuns - reserved() },
      AccountUsage: { FunctionCount: functions.length },
    });
  const mappings: Respond = () =>
    json({
      EventSourceMappings: eventSources.map(({ queueArn, functionName, batchSize, maximumConcurrency }) => ({
        EventSourceArn: queueArn,
        FunctionArn: arn("lambda", `function:${functionName}`),
        BatchSize: batchSize,
        ...(maximumConcurrency !== undefined && { ScalingConfig: { MaximumConcurrency: maximumConcurrency } }),
      })),
    });
  const configuration: Respond = ({ path }) => {
    const name = decodeURIComponent(configurationPath.exec(path)?.[1] ?? "");
    const found = functions.find((each) => each.name === name);
    if (!found) return refusal(404, "ResourceNotFoundException", `Function not found: ${arn("lambda", `function:${name}`)}`);
    const { handler, memoryMiB, timeoutMs, variables } = found;
    return json({
      FunctionName: name,
      FunctionArn: found.arn,
      Handler: handler,
      MemorySize: memoryMiB,
      Timeout: timeoutMs / 1_000,
      Environment: { Variables: variables },
    });
  };
  const quota: Respond = ({ body }) => {
    const { data } = Quota.safeParse(jsonOf(body.toString("utf8")));
    const value = data && quotaOf(data);
    if (data === undefined || value === undefined) return refusal(400, "NoSuchResourceException", "The requested quota does not exist.");
    return json({ Quota: { ...data, Value: value, Adjustable: true } });
  };
  const alarms: Respond = ({ body }) => {
    const { AlarmNamePrefix } = Alarms.parse(jsonOf(body.toString("utf8")));
    const those = of.alarms().filter(({ name }) => name.startsWith(AlarmNamePrefix));
    return json({
      MetricAlarms: those.map(({ name, state, reason }) => ({
        AlarmName: name,
        StateValue: state,
        StateReason: reason,
        ActionsEnabled: true,
        AlarmActions: [],
      })),
    });
  };

  const calls: readonly Served[] = [
    { service: "servicequotas", target: /\.(GetServiceQuota|GetAWSDefaultServiceQuota)$/, respond: quota },
    { service: "monitoring", target: /\.DescribeAlarms$/, respond: alarms },
    { service: "lambda", path: /^\/2016-08-19\/account-settings\/?(\?|$)/, respond: settings },
    { service: "lambda", path: /^\/2015-03-31\/event-source-mappings\/?(\?|$)/, respond: mappings },
    { service: "lambda", path: configurationPath, respond: configuration },
  ];
  const find = (path: string, headers: IncomingHttpHeaders): Respond | undefined => {
    const service = signedFor(path, headers)?.service;
    const target = String(headers["x-amz-target"] ?? "");
    const isCalled = (each: Served): boolean =>
      each.service === service && (each.path?.test(path) ?? true) && (each.target?.test(target) ?? true);
    return calls.find(isCalled)?.respond;
  };
  return {
    takes: (path, headers) => find(path, headers) !== undefined,
    handle: async (call) => find(call.path, call.headers)?.(call) ?? refusal(400, "InvalidAction", "The local cloud has no such call."),
  };
}

/** Every quota of EC2 that is asked for here is one of vCPUs. */
const quotaOf = ({ ServiceCode, QuotaCode }: z.infer<typeof Quota>): number | undefined => {
  if (ServiceCode === "ec2") return quotas.vcpus;
  return ServiceCode === "vpc" && QuotaCode === "L-F678F1CE" ? quotas.vpcs : undefined;
};

const json = (body: object): HttpResponse => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

const refusal = (status: number, type: string, message: string): HttpResponse => ({
  status,
  headers: { "content-type": "application/json", "x-amzn-errortype": type },
  body: JSON.stringify({ __type: type, message, Message: message }),
});
