import type { ConfigurationFile } from "./configuration/configuration.ts";

/** What the local cloud runs: as deployed, but nobody wants to wait five minutes to see a fleet go back to zero. */
export default {
  name: "fleetwright",
  teams: ["research", "vision"],
  pools: [
    {
      name: "gpu",
      families: ["g4dn", "g5", "g6"],
      markets: ["spot", "on-demand"],
      limits: { usdPerHour: 40, gpus: 16 },
      budgets: { usdPerDay: 1000, usdPerMonth: 10_000 },
      idleSeconds: 4,
      bootSeconds: 60,
      // Nodes are processes of this machine, and nobody is asked to have Docker.
      containers: false,
    },
  ],
  defaultPool: "gpu",
  deletionProtection: false,
  // A minute of these lasts two seconds here.
  alarms: { queuedJobs: 3, queueMinutes: 1, gpuLowMinutes: 3 },
} satisfies ConfigurationFile;
