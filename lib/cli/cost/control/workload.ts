import { Scenario } from "../../../sim/world/scenario.ts";

/** How long jobs arrive, and how long the fleet then has to end them and to give its nodes back, in virtual minutes. */
const arriveMinutes = 60;
const endMinutes = 30;

/** What a run measures: jobs that arrive within an hour at random times, each with its own running time. */
export type ControlLoad = { readonly jobs: number };

/** The types and prices of the families of the default pool: USD per hour on demand and, about, for spot. */
const sizes = [
  ["g4dn.xlarge", 4, 16, 1, 0.526, 0.21],
  ["g4dn.2xlarge", 8, 32, 1, 0.752, 0.3],
  ["g4dn.12xlarge", 48, 192, 4, 3.912, 1.5],
  ["g5.xlarge", 4, 16, 1, 1.006, 0.42],
  ["g5.2xlarge", 8, 32, 1, 1.212, 0.48],
  ["g5.12xlarge", 48, 192, 4, 5.672, 2.3],
  ["g5.48xlarge", 192, 768, 8, 16.288, 6.5],
  ["g6.xlarge", 4, 16, 1, 0.805, 0.34],
  ["g6.2xlarge", 8, 32, 1, 0.978, 0.4],
  ["g6.12xlarge", 48, 192, 4, 4.602, 1.9],
  ["g6.48xlarge", 192, 768, 8, 13.35, 5.4],
] as const;
const zones = ["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"];

/** The scenario: the pool, the limits and the teams of `cdk/fleet.config.ts`, and no faults. `test/cdk/control-cost.test.ts` compares them. */
export const loadScenario = ({ jobs }: ControlLoad): Scenario =>
  Scenario.parse({
    name: "control",
    minutes: arriveMinutes + endMinutes,
    arriveMinutes,
    teams: ["research", "vision"],
    pools: [
      {
        name: "gpu",
        limits: { usdPerHour: 40, gpus: 16 },
        budgets: { usdPerDay: 200, usdPerMonth: 3000 },
        idleSeconds: 300,
        bootSeconds: 600,
      },
    ],
    poolRemoved: 0,
    deployment: {},
    teamLimits: {},
    types: sizes.map(([name, vcpus, memoryGiB, gpus]) => ({ name, vcpus, memoryGiB, gpus })),
    offers: sizes.flatMap(([instanceType, , , , onDemand, spot]) =>
      zones.flatMap((zone) => [
        { instanceType, zone, market: "spot", usdPerHour: spot },
        { instanceType, zone, market: "on-demand", usdPerHour: onDemand },
      ]),
    ),
    jobs: {
      count: { from: jobs, to: jobs },
      seconds: { from: 60, to: 600 },
      gpus: { from: 1, to: 1 },
      artifacts: { from: 0, to: 2 },
      failing: 0.03,
      cancelled: 0.02,
      gangs: 0,
      reading: 0,
      repeated: 0,
      wrong: 0,
      impossible: 0,
    },
    datasets: { perTeam: 0, shards: 0 },
    bootSeconds: { from: 60, to: 120 },
    orders: { from: 0, to: 0 },
    intensity: 0,
  });
