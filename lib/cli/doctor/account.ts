import type { SignRequest } from "../../aws/access/request-signer.ts";
import type { WhoAmI } from "../../aws/account/caller.ts";
import type { AccountConcurrency } from "../../aws/account/functions.ts";
import type { MachineImage, NodeTemplate } from "../../aws/account/machine.ts";
import type { AlarmStanding, StoredParameter } from "../../aws/account/standing.ts";
import type { ClientSettings } from "../../aws/clients/settings.ts";
import { once } from "../session/once.ts";
import type { LaunchableType } from "./checks/vcpu-quotas.ts";
import type { QuotaRef } from "./findings/account-quotas.ts";

/** What the checks read of an account in a region. Each call has a time limit and few repetitions. */
export type Account = {
  /** Undefined if no region is set. */
  region(): Promise<string | undefined>;
  whoAmI(): Promise<WhoAmI>;
  parameter(name: string): Promise<StoredParameter | undefined>;
  quota(of: QuotaRef): Promise<number | undefined>;
  concurrency(): Promise<AccountConcurrency>;
  queueConcurrency(functions: readonly string[]): Promise<number>;
  variables(functionName: string): Promise<Readonly<Record<string, string>>>;
  template(id: string): Promise<NodeTemplate>;
  image(id: string): Promise<MachineImage | undefined>;
  zones(): Promise<readonly string[]>;
  vpcs(): Promise<number>;
  types(families: readonly string[]): Promise<readonly LaunchableType[]>;
  offered(types: readonly string[], zones: readonly string[]): Promise<ReadonlySet<string>>;
  hasRole(name: string): Promise<boolean>;
  keyState(alias: string): Promise<string | undefined>;
  alarms(prefix: string): Promise<readonly AlarmStanding[]>;
  /** Signs calls of function URLs. */
  readonly sign: SignRequest;
};

/** Short enough for a person to wait for. */
const limits = { requestMs: 8_000, maxAttempts: 3 };
/** `usable` (lib/model/offer.ts) leaves this much of an instance to its host; quotas count all vCPUs. */
const ofTheHost = 0.2;

/** Reads an account with the SDK. Each part of the SDK is loaded when it is first used. */
export function awsAccount(given: ClientSettings): Account {
  const settings = { ...given, ...limits };
  const sts = once(async () => (await import("../../aws/clients/sts.ts")).stsClient(settings));
  const ssm = once(async () => (await import("../../aws/clients/ssm.ts")).ssmClient(settings));
  const ec2 = once(async () => (await import("../../aws/clients/ec2.ts")).ec2Client(settings));
  const kms = once(async () => (await import("../../aws/clients/kms.ts")).kmsClient(settings));
  const iam = once(async () => (await import("../../aws/clients/iam.ts")).iamClient(settings));
  const lambda = once(async () => (await import("../../aws/clients/lambda.ts")).lambdaClient(settings));
  const quotas = once(async () => (await import("../../aws/clients/service-quotas.ts")).serviceQuotasClient(settings));
  const cloudwatch = once(async () => (await import("../../aws/clients/cloudwatch.ts")).cloudwatchClient(settings));
  const functions = () => import("../../aws/account/functions.ts");
  const machine = () => import("../../aws/account/machine.ts");
  const standing = () => import("../../aws/account/standing.ts");
  const region = async (): Promise<string | undefined> => {
    try {
      return await (await sts()).config.region();
    } catch (error) {
      // The SDK has no other way to say that none of its sources names a region.
      if (error instanceof Error && error.message === "Region is missing") return undefined;
      throw error;
    }
  };
  return {
    region,
    whoAmI: once(async () => (await import("../../aws/account/caller.ts")).whoAmI(await sts(), Date.now)),
    parameter: async (name) => (await standing()).storedParameter(await ssm(), name),
    quota: async (of) => (await import("../../aws/account/quotas.ts")).quotaValue(await quotas(), of),
    concurrency: async () => (await functions()).accountConcurrency(await lambda()),
    queueConcurrency: async (names) => (await functions()).queueConcurrency(await lambda(), names),
    variables: async (name) => (await functions()).functionVariables(await lambda(), name),
    template: async (id) => (await machine()).nodeTemplate(await ec2(), id),
    image: async (id) => (await machine()).machineImage(await ec2(), id),
    zones: async () => (await machine()).zonesOfRegion(await ec2()),
    vpcs: async () => (await machine()).vpcCount(await ec2()),
    types: async (families) => {
      const { instanceTypes } = await import("../../aws/market/instance-types.ts");
      const sold = await instanceTypes(await ec2(), { families, architecture: nodeArchitecture, log: () => undefined });
      return sold.map(({ type: { name, resources }, markets }) => ({
        name,
        vcpus: Math.round(resources.vcpus + ofTheHost),
        gpus: resources.gpus,
        markets,
      }));
    },
    offered: async (types, zones) => (await import("../../aws/market/market.ts")).offerings(await ec2(), types, zones),
    hasRole: async (name) => (await standing()).roleExists(await iam(), name),
    keyState: async (alias) => (await standing()).keyState(await kms(), alias),
    alarms: async (prefix) => (await standing()).alarmStandings(await cloudwatch(), prefix),
    sign: async (request) => (await import("../../aws/access/request-signer.ts")).functionUrlSigner((await ssm()).config)(request),
  };
}

/** The architecture of all pools' instances; the configuration knows no other. */
export const nodeArchitecture = "x86_64";
