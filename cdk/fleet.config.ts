import type { ConfigurationFile } from "./configuration/configuration.ts";

/** What `npx cdk deploy` deploys: edit this, or name another file in FLEETWRIGHT_CONFIG. Every field: cdk/configuration/configuration.ts. */
export default {
  name: "fleetwright",
  teams: ["research", "vision"],
  pools: [
    {
      name: "gpu",
      families: ["g4dn", "g5", "g6"],
      markets: ["spot", "on-demand"],
      limits: { usdPerHour: 40, gpus: 16 },
      budgets: { usdPerDay: 200, usdPerMonth: 3000 },
      idleSeconds: 300,
      bootSeconds: 600,
    },
  ],
  defaultPool: "gpu",
} satisfies ConfigurationFile;
