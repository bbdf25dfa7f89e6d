import pMap from "p-map";
import type { Deployment } from "../../model/deployment.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { FleetApi } from "../session/fleet-api.ts";
import { once } from "../session/once.ts";
import { type Account, nodeArchitecture } from "./account.ts";
import { alarmFindings } from "./checks/alarms.ts";
import { bootstrapFindings, bootstrapParameter } from "./checks/bootstrap.ts";
import { configurationFindings } from "./checks/configuration.ts";
import { deadLetterFindings } from "./checks/dead-letters.ts";
import { endpointFindings } from "./checks/endpoints.ts";
import { imageFindings } from "./checks/images.ts";
import { keyFindings } from "./checks/keys.ts";
import { concurrencyFindings } from "./checks/lambda-concurrency.ts";
import { vpcFindings } from "./checks/network.ts";
import { graceDays, poolUseFindings, showsUse, unusedDays } from "./checks/pool-use.ts";
import { spotRole, spotRoleFindings } from "./checks/spot-role.ts";
import { quotaCodesOf, vcpuQuotaFindings } from "./checks/vcpu-quotas.ts";
import { zoneCountFindings, zoneFindings } from "./checks/zones.ts";
import { vpcQuota } from "./findings/account-quotas.ts";
import { anError, type Finding, type ReadFact } from "./findings/finding.ts";
import { callUrl } from "./function-urls.ts";
import { type DeployedFacts, functionNames, type Needs } from "./needs.ts";
import type { PlannedStack } from "./planned.ts";
import { type Check, callsAtOnce, factOf } from "./report.ts";

const dayMs = 86_400_000;
/** The parameter is named in a launch template like this. */
const byParameter = /^resolve:ssm:(.+)$/;

export type Place = {
  readonly account: Account;
  readonly accountId: string;
  readonly region: string;
  readonly nowMs: number;
  /** Whether this is a local cloud, which makes some facts up. */
  readonly isLocal: boolean;
};

/** The checks of what a deployment needs of its account, before and after it is deployed. */
export function needsChecks({ account, region, nowMs, isLocal }: Place, needs: Needs): readonly Check[] {
  const pools = once(() => needs.pools());
  const withTypes = once(async () =>
    pMap(
      await pools(),
      async ({ pool, families, markets, gpuLimit }) => ({ pool, markets, gpuLimit, types: await account.types(families) }),
      { concurrency: callsAtOnce },
    ),
  );
  return [
    {
      check: "vcpu-quotas",
      title: "vCPU quotas",
      find: async () => {
        const all = await withTypes();
        const vcpus = await pMap(
          quotaCodesOf(all),
          async (code): Promise<readonly [string, ReadFact<number>]> => [code, await vcpusOf(account, code)],
          { concurrency: callsAtOnce },
        );
        return vcpuQuotaFindings(all, { vcpus: new Map(vcpus), region });
      },
    },
    {
      check: "lambda-concurrency",
      title: "Lambda concurrency",
      find: async () => concurrencyFindings({ account: await account.concurrency(), ...(await needs.lambda()), region }),
    },
    {
      check: "images",
      title: "machine images",
      find: async () => {
        const all = await Promise.all(
          (await needs.images()).map(async ({ pools: of, image }) => ({
            pools: of,
            ...(await imageOf(account, image)),
            isAgeless: isLocal,
          })),
        );
        return all.flatMap((image) => imageFindings(image, { architecture: nodeArchitecture, nowMs, region }));
      },
    },
    {
      check: "zones",
      title: "zones",
      find: async () => {
        const [all, zones] = await Promise.all([withTypes(), needs.zones()]);
        const types = [...new Set(all.flatMap(({ types: of }) => of.map(({ name }) => name)))];
        const offered = types.length === 0 || zones.length === 0 ? new Set<string>() : await account.offered(types, zones);
        const poolTypes = all.map(({ pool, types: of }) => ({ pool, types: of.map(({ name }) => name) }));
        return zoneFindings(poolTypes, { zones, offered });
      },
    },
    {
      check: "spot-role",
      title: "spot role",
      find: async () => spotRoleFindings(await pools(), await account.hasRole(spotRole)),
    },
  ];
}

async function vcpusOf(account: Account, code: string): Promise<ReadFact<number>> {
  const fact = await factOf(() => account.quota({ service: "ec2", code }));
  if ("unknown" in fact) return fact;
  return fact.value === undefined ? { unknown: `Service Quotas does not know the quota ${code}` } : { value: fact.value };
}

async function imageOf(account: Account, image: string) {
  const parameter = byParameter.exec(image)?.[1];
  const id = parameter === undefined ? image : (await account.parameter(parameter))?.value;
  return { parameter, image: id === undefined ? undefined : await account.image(id) };
}

/** The checks that make sense only before the first deployment. `name`: the deployment that was looked for. */
export const firstChecks = (
  { account, accountId, region, name }: Place & { readonly name: string },
  plan: () => Promise<PlannedStack>,
): readonly Check[] => [
  { check: "configuration", title: "configuration", find: () => findUnusable(plan, name) },
  {
    check: "bootstrap",
    title: "CDK bootstrap",
    find: async () => bootstrapFindings((await account.parameter(bootstrapParameter))?.value, { account: accountId, region }),
  },
  {
    check: "network",
    title: "VPC quota",
    find: async () => {
      const [count, quota] = await Promise.all([account.vpcs(), account.quota(vpcQuota)]);
      if (quota === undefined) throw new Error("Service Quotas does not know the quota of VPCs");
      return vpcFindings({ count, quota, region });
    },
  },
  {
    check: "zone-count",
    title: "number of zones",
    find: async () => zoneCountFindings(await account.zones(), (await plan()).zones),
  },
];

/** A configuration that cannot be synthesized cannot be deployed. What CDK says about it is long, and in its own words. */
async function findUnusable(plan: () => Promise<PlannedStack>, name: string): Promise<readonly Finding[]> {
  try {
    return configurationFindings((await plan()).name, name);
  } catch (error) {
    if (!(error instanceof FleetError && error.code === "unusable")) throw error;
    return [anError("configuration.unusable", error.message, "npx cdk synth, which says what is wrong")];
  }
}

export type DeployedPlace = Place & {
  readonly deployment: Deployment;
  /** When what the stack says about itself last changed. */
  readonly changedAtMs: number | undefined;
  readonly api: FleetApi;
  readonly facts: Pick<DeployedFacts, "nodeUrl">;
};

/** The checks of what is deployed. */
export const deployedChecks = (place: DeployedPlace): readonly Check[] => [
  { check: "keys", title: "keys of teams", find: () => findKeys(place) },
  { check: "endpoints", title: "endpoints", find: () => findEndpoints(place) },
  {
    check: "alarms",
    title: "alarms",
    find: async () => {
      const { account, deployment, isLocal } = place;
      const { name: fleet } = deployment;
      const alarms = await account.alarms(`${fleet}-`);
      return alarmFindings({ fleet, functions: functionNames, alarms, areActionsIdle: isLocal });
    },
  },
  { check: "dead-letters", title: "dead letters", find: async () => deadLetterFindings((await place.api.deadLetters()).items) },
  { check: "pool-use", title: "pools in use", find: () => findUnused(place) },
];

async function findKeys({ account, deployment, region }: DeployedPlace): Promise<readonly Finding[]> {
  const stateOf = async (team: string) => {
    const alias = `${deployment.keyAliasPrefix}${team}`;
    return { team, alias, state: await factOf(() => account.keyState(alias)) };
  };
  const keys = await pMap(deployment.teams, stateOf, { concurrency: callsAtOnce });
  return keyFindings(keys, region);
}

async function findEndpoints({ account, deployment, facts }: DeployedPlace): Promise<readonly Finding[]> {
  const { name, apiUrl } = deployment;
  const me = new URL("v1/me", apiUrl.endsWith("/") ? apiUrl : `${apiUrl}/`).href;
  const api = endpointFindings({ name: `${name}-api`, url: me, reply: await callUrl(account.sign, { url: me, method: "GET" }) });
  const url = await facts.nodeUrl();
  // The function refuses it before it does anything, because the caller is no node.
  const reply = await callUrl(account.sign, { url, method: "POST", body: "{}" });
  return [...api, ...endpointFindings({ name: `${name}-node`, url, reply })];
}

async function findUnused({ api, deployment, changedAtMs, nowMs }: DeployedPlace): Promise<readonly Finding[]> {
  if (changedAtMs !== undefined && nowMs - changedAtMs < graceDays * dayMs) return [];
  const since = new Date(nowMs - unusedDays * dayMs).toISOString();
  const hadJobs = async (pool: string, teams: readonly string[]): Promise<boolean> => {
    for (const team of teams) if ((await api.jobs({ team, pool, since, limit: 1 })).items.length > 0) return true;
    return false;
  };
  const uses: { pool: string; hadJobs: boolean }[] = [];
  // One pool after the other, because this is not urgent and each team may need a call.
  for (const view of (await api.pools()).items) {
    const teams = view.teams.length > 0 ? view.teams : deployment.teams;
    uses.push({ pool: view.pool, hadJobs: showsUse(view) || (await hadJobs(view.pool, teams)) });
  }
  return poolUseFindings(uses);
}
