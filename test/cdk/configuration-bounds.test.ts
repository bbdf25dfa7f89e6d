import { describe, expect, test } from "vitest";
import { parseConfiguration } from "../../cdk/configuration/configuration.ts";

const parse = (pool: object, fleet: object = {}) => {
  const pools = [{ name: "gpu", families: ["g5"], markets: ["spot"], limits: { usdPerHour: 10, gpus: 4 }, ...pool }, ...others(pool)];
  return parseConfiguration({ teams: ["research"], pools, defaultPool: "gpu", ...fleet }, "the test");
};
/** A pool that names a fallback needs it to exist. */
const others = (pool: object) =>
  "fallback" in pool ? [{ name: "b", families: ["g6"], markets: ["spot"], limits: { usdPerHour: 10, gpus: 4 } }] : [];

const million = 1_000_000;
const week = 604_800;

/** Each field of a pool with its least and largest value, and values that are just outside. */
const bounds: readonly (readonly [string, object, readonly object[], object, readonly object[]])[] = [
  [
    "fallbackSeconds",
    { fallback: "b", fallbackSeconds: 0 },
    [{ fallback: "b", fallbackSeconds: -1 }],
    { fallback: "b", fallbackSeconds: week },
    [{ fallback: "b", fallbackSeconds: week + 1 }],
  ],
  ["idleSeconds", { idleSeconds: 0 }, [{ idleSeconds: -1 }], { idleSeconds: million }, []],
  [
    "minNodes",
    { shared: true, minNodes: 0 },
    [
      { shared: true, minNodes: -1 },
      { shared: true, minNodes: 1.5 },
    ],
    { shared: true, minNodes: 1_000 },
    [{ shared: true, minNodes: 1_001 }],
  ],
  ["bootSeconds", { bootSeconds: 1 }, [{ bootSeconds: 0 }], { bootSeconds: 3_600 }, []],
  [
    "maxLifetimeSeconds",
    { maxLifetimeSeconds: 7_200 },
    [{ maxLifetimeSeconds: 599 }],
    { maxLifetimeSeconds: 31_536_000 },
    [{ maxLifetimeSeconds: 31_536_001 }],
  ],
  [
    "maxRuntimeSeconds",
    { maxRuntimeSeconds: 60 },
    [{ maxRuntimeSeconds: 59 }, { maxRuntimeSeconds: 90.5 }],
    { maxRuntimeSeconds: 14 * 86_400 },
    [{ maxRuntimeSeconds: 14 * 86_400 + 1 }],
  ],
  ["drainSeconds", { drainSeconds: 0 }, [{ drainSeconds: -1 }], { drainSeconds: week }, [{ drainSeconds: week + 1 }]],
  [
    "consolidateSeconds",
    { consolidateSeconds: 60 },
    [{ consolidateSeconds: 59 }],
    { consolidateSeconds: week },
    [{ consolidateSeconds: week + 1 }],
  ],
  [
    "disruption by nodes",
    { disruption: { nodes: 0 } },
    [{ disruption: { nodes: -1 } }, { disruption: { nodes: 1.5 } }],
    { disruption: { nodes: 500 } },
    [],
  ],
  [
    "disruption by share",
    { disruption: { share: 0 } },
    [{ disruption: { share: -0.1 } }],
    { disruption: { share: 1 } },
    [{ disruption: { share: 1.1 } }],
  ],
  ["volumeGiB", { volumeGiB: 75 }, [{ volumeGiB: 74 }], { volumeGiB: 16_384 }, [{ volumeGiB: 16_385 }]],
  [
    "limits.gpus",
    { limits: { usdPerHour: 10, gpus: 0 } },
    [{ limits: { usdPerHour: 10, gpus: -1 } }],
    { limits: { usdPerHour: 10, gpus: million } },
    [{ limits: { usdPerHour: 10, gpus: million + 1 } }],
  ],
  [
    "limits.usdPerHour",
    { limits: { usdPerHour: 0, gpus: 4 } },
    [{ limits: { usdPerHour: -1, gpus: 4 } }],
    { limits: { usdPerHour: million, gpus: 4 } },
    [{ limits: { usdPerHour: million + 1, gpus: 4 } }],
  ],
];

describe("the bounds of a pool's configuration", () => {
  test.each(bounds)("%s takes its least and its largest value, and nothing beyond", (_field, least, below, largest, above) => {
    expect(() => parse(least)).not.toThrow();
    expect(() => parse(largest)).not.toThrow();
    for (const beyond of [...below, ...above]) expect(() => parse(beyond), JSON.stringify(beyond)).toThrow(/cannot be used/);
  });
});

describe("the length of the deployment's name", () => {
  test.each([
    ["a", true],
    ["a".repeat(20), true],
    ["a".repeat(21), false],
    ["1a", false],
    ["", false],
  ])("the name %j is valid: %s", (name, valid) => {
    const parsing = expect(() => parse({}, { name }));
    if (valid) parsing.not.toThrow();
    else parsing.toThrow(/cannot be used/);
  });
});
