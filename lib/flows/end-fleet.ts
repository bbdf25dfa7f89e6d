import { maxAtOnce } from "../ports/fleet.ts";
import type { Log } from "../ports/log.ts";
import type { Ports } from "../ports/ports.ts";

export type EndFleetDeps = Pick<Ports, "instances"> & {
  readonly fleet: Pick<Ports["fleet"], "terminate">;
  readonly pause: (ms: number) => Promise<void>;
  readonly now: () => number;
  readonly log: Log;
};

/** `left`: the time is up, and these instances still live; undefined if EC2 did not list them. */
export type FleetEnd = { readonly kind: "gone" } | { readonly kind: "left"; readonly instances?: readonly string[] | undefined };

const everyMs = 5_000;
/** A launch may be invisible for a minute, and a decision that had begun may have launched for another twenty seconds. */
const noneForMs = 90_000;

/**
 * Ends every instance that has the deployment's name, and waits until none has been seen for a while. It is for the end of a
 * deployment: all that launches must have been stopped before. `untilMs`: when to give up and return what is left.
 */
export async function endFleet(deps: EndFleetDeps, { untilMs }: { untilMs: number }): Promise<FleetEnd> {
  let left: readonly string[] | undefined;
  let noneSinceMs: number | undefined;
  for (;;) {
    const found = await deps.instances.list();
    const nowMs = deps.now();
    if (found !== undefined) left = found.map(({ id }) => id);
    if (found === undefined || found.length > 0) noneSinceMs = undefined;
    else noneSinceMs ??= nowMs;
    if (noneSinceMs !== undefined && nowMs - noneSinceMs >= noneForMs) return { kind: "gone" };
    if (nowMs + everyMs > untilMs) return { kind: "left", instances: left };
    await requestEnds(
      deps,
      (found ?? []).filter(({ ending }) => !ending).map(({ id }) => id),
    );
    await deps.pause(everyMs);
  }
}

/** Ends instances. If EC2 rejects a call because of one instance, the instances of that call are ended one by one. */
async function requestEnds(deps: EndFleetDeps, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) deps.log({ level: "info", message: "ending instances", instances: ids });
  for (let from = 0; from < ids.length; from += maxAtOnce) {
    const part = ids.slice(from, from + maxAtOnce);
    const ended = await deps.fleet.terminate(part);
    for (const id of part) if (ended.get(id) === "apart") await deps.fleet.terminate([id]);
  }
}
