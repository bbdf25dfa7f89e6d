import type { ConfigurationFile } from "./configuration/configuration.ts";

/** The fleet of the local cloud: as deployed, but nodes are idle for a few seconds only, so that the fleet soon scales to zero. */
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
      // Nodes are processes of this machine, which may lack Docker.
      containers: false,
    },
  ],
  defaultPool: "gpu",
  deletionProtection: false,
  // Changes of small datasets should be listed at once.
  datasets: { listingSeconds: 1 },
  // A minute of these lasts two seconds in the local cloud.
  alarms: { queuedJobs: 3, queueMinutes: 1, gpuLowMinutes: 3 },
} satisfies ConfigurationFile;
