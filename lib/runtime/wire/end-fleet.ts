import { setTimeout as pause } from "node:timers/promises";
import type { EndFleetDeps } from "../../flows/end-fleet.ts";
import { type FunctionLogger, logTo } from "../logger.ts";
import { instancesOf } from "./instances.ts";

export const endFleetWiring = (of: { name: string; logger: FunctionLogger }): EndFleetDeps => {
  const log = logTo(of.logger);
  return { ...instancesOf({ name: of.name, log }), pause: (ms) => pause(ms), now: Date.now, log };
};
