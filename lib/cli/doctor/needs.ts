import pMap from "p-map";
import type { Pool } from "../../model/pool.ts";
import { Environments, environment } from "../../runtime/env.ts";
import type { FleetApi } from "../session/fleet-api.ts";
import { once } from "../session/once.ts";
import type { Account } from "./account.ts";
import type { PlannedStack, PoolNeeds } from "./planned.ts";
import { callsAtOnce } from "./report.ts";

export type LambdaNeeds = { readonly functions: number; readonly toReserve: number; readonly byQueues: number };

/** What a deployment needs of its account, whether it is there already or only planned. */
export type Needs = {
  pools(): Promise<readonly PoolNeeds[]>;
  /** The image in the launch templates of pools. */
  images(): Promise<readonly { readonly pools: readonly string[]; readonly image: string }[]>;
  /** The zones in which nodes may run. */
  zones(): Promise<readonly string[]>;
  lambda(): Promise<LambdaNeeds>;
};

/** The needs of a stack that is not deployed. CloudFormation takes the first zones of the region. */
export const needsOfPlan = (plan: () => Promise<PlannedStack>, account: Pick<Account, "zones">): Needs => ({
  pools: async () => (await plan()).pools,
  images: async () => (await plan()).images,
  zones: async () => (await account.zones()).slice(0, (await plan()).zones),
  lambda: async () => {
    const { functions, reserved, byQueues } = await plan();
    return { functions, toReserve: reserved, byQueues };
  },
});

/** The pools as the API shows them, and what the function `place` was given to launch nodes with. */
export type DeployedFacts = Needs & {
  /** The function URL that nodes call. */
  nodeUrl(): Promise<string>;
};

/** The names of a deployment's functions, without its own name before them. */
export const functionNames: readonly string[] = Object.keys(Environments);

/** The boot script says where its node calls. */
const nodeUrlLine = /^export FLEETWRIGHT_NODE_URL='([^']+)'$/m;

export function needsOfDeployment(fleet: string, account: Account, api: Pick<FleetApi, "pools">): DeployedFacts {
  const place = once(async () => environment("place", await account.variables(`${fleet}-place`)));
  const templates = once(async () =>
    pMap(Object.entries((await place()).LAUNCH_TEMPLATES), async ([pool, id]) => ({ pool, template: await account.template(id) }), {
      concurrency: callsAtOnce,
    }),
  );
  return {
    pools: async () =>
      (await api.pools()).items.map(({ pool, families, markets, limits }) => ({ pool, families, markets, gpuLimit: limits.gpus })),
    images: async () => {
      const byImage = Map.groupBy(await templates(), ({ template }) => template.image);
      return [...byImage].map(([image, of]) => ({ image, pools: of.map(({ pool }): Pool["name"] => pool) }));
    },
    zones: async () => (await place()).SUBNETS.map(({ zone }) => zone),
    lambda: async () => ({
      functions: functionNames.length,
      toReserve: 0,
      byQueues: await account.queueConcurrency(functionNames.map((each) => `${fleet}-${each}`)),
    }),
    nodeUrl: async () => {
      const [first] = await templates();
      const url = nodeUrlLine.exec(first?.template.userData ?? "")?.[1];
      if (url === undefined) throw new Error("the user data of the launch template does not say which URL nodes call");
      return url;
    },
  };
}
