import { setImmediate } from "node:timers/promises";
import type { World } from "./world.ts";

type Deps = World["deps"];

export type Held = {
  readonly deps: Deps;
  /** Every call it made, as `port.method`. */
  readonly calls: readonly string[];
  /** Lets the held call return. */
  readonly release: () => void;
};

/** Returns the same ports, where one call, counted from 1, takes effect but does not return before it is released. */
export function holding(deps: Deps, call?: number): Held {
  const calls: string[] = [];
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const late = async (name: string, work: Promise<unknown>): Promise<unknown> => {
    calls.push(name);
    const isHeld = calls.length === call;
    const result = await work;
    if (isHeld) await released;
    return result;
  };
  const port = <T extends object>(name: string, real: T): T =>
    new Proxy(real, {
      get(target, method) {
        const own: unknown = Reflect.get(target, method);
        if (typeof own !== "function") return own;
        return (...args: unknown[]): unknown => {
          const result: unknown = Reflect.apply(own, target, args);
          return result instanceof Promise ? late(`${name}.${String(method)}`, result) : result;
        };
      },
    });
  const pause = (ms: number): Promise<void> => late("pause", deps.pause(ms)).then(() => undefined);
  const ports = Object.entries(deps).map(([name, value]) => [name, isPort(name, value) ? port(name, value) : value]);
  return { deps: { ...(Object.fromEntries(ports) as Deps), pause }, calls, release };
}

const settings = new Set(["pools", "limits", "places", "liveLimits"]);
const isPort = (name: string, value: unknown): value is object => typeof value === "object" && value !== null && !settings.has(name);

/** Waits until everything that does not wait for a held call has ended. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) await setImmediate();
}
