import type { PlaceDeps } from "../../../lib/flows/place.ts";

/** When a process crashes: before or after the n-th call that it makes over the wire, counted from 1. */
export type CrashPoint = { readonly call: number; readonly when: "before" | "after" };

export type Doomed = {
  readonly deps: PlaceDeps;
  /** Every call it made, as `port.method`. */
  readonly calls: readonly string[];
  /** Resolves when it has crashed. */
  readonly crashed: Promise<"crashed">;
};

const forever = new Promise<never>(() => {});

/** Returns the same ports in a process that crashes at one point: from then on no call is carried out and none returns. */
export function doomed(deps: PlaceDeps, at: CrashPoint | undefined): Doomed {
  const calls: string[] = [];
  const { promise: crashed, resolve } = Promise.withResolvers<"crashed">();
  let dead = false;
  const die = (): Promise<never> => {
    dead = true;
    resolve("crashed");
    return forever;
  };
  const port = <T extends object>(name: string, real: T): T =>
    new Proxy(real, {
      get(target, method) {
        const own: unknown = Reflect.get(target, method);
        if (typeof own !== "function") return own;
        return async (...args: unknown[]): Promise<unknown> => {
          if (dead) return forever;
          calls.push(`${name}.${String(method)}`);
          const isLast = calls.length === at?.call;
          if (isLast && at?.when === "before") return die();
          const result: unknown = await Reflect.apply(own, target, args);
          return isLast || dead ? die() : result;
        };
      },
    });
  return {
    calls,
    crashed,
    deps: {
      ...deps,
      decisions: port("decisions", deps.decisions),
      placements: port("placements", deps.placements),
      fleet: port("fleet", deps.fleet),
      budget: port("budget", deps.budget),
      lane: port("lane", deps.lane),
      journal: port("journal", deps.journal),
      catalogues: port("catalogues", deps.catalogues),
    },
  };
}
