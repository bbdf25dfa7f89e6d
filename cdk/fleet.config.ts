import type { ConfigurationFile } from "./configuration/configuration.ts";

/** The fleet that `npx cdk deploy` deploys. Edit it, or name another file in FLEETWRIGHT_CONFIG. Fields: configuration/configuration.ts. */
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
      maxRuntimeSeconds: 259_200,
    },
  ],
  defaultPool: "gpu",
} satisfies ConfigurationFile;
