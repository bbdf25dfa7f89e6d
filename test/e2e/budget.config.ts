import type { ConfigurationFile } from "../../cdk/configuration.ts";

/** One pool that may spend five dollars a month, and keeps idle nodes for longer than a test takes. */
export default {
  teams: ["research"],
  pools: [
    {
      name: "gpu",
      families: ["g4dn.xlarge"],
      markets: ["on-demand"],
      limits: { usdPerHour: 40, gpus: 16 },
      budgets: { usdPerMonth: 5 },
      idleSeconds: 600,
      bootSeconds: 60,
    },
  ],
  defaultPool: "gpu",
  deletionProtection: false,
} satisfies ConfigurationFile;
