import { setTimeout as pause } from "node:timers/promises";
import type { LocalCloud } from "../../local/cloud.ts";
import type { FleetApi } from "../session/fleet-api.ts";

/** Interval between ticks, which count queues. It is below two seconds, which is a minute of the local alarms' periods. */
const tickMs = 1_500;
const lookMs = 100;
const pageLength = 50;
const longestWaitMs = 10_000;

type Watching = {
  readonly cloud: Pick<LocalCloud, "alarms" | "invoke" | "deployment">;
  readonly connection: { readonly api: Pick<FleetApi, "decisions"> };
  readonly print: (line: string) => void;
  readonly stop: AbortSignal;
};

/**
 * Ticks once per local minute and prints every alarm that goes off. `end` stops it, and returns how many alarms went off and how many
 * of them are recorded as the cause of a decision.
 */
export function createAlarmWatch({ cloud, connection, print, stop }: Watching) {
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, stop]);
  const fired = new Map<string, string>();
  const look = (): void => {
    for (const { name, state, sinceMs, reason } of cloud.alarms()) {
      const key = `${name} ${sinceMs}`;
      // An alarm without a slash in its name is for people, and causes no decision.
      if (state !== "ALARM" || fired.has(key) || !name.includes("/")) continue;
      fired.set(key, name);
      print(`alarm ${name} goes off: ${reason}`);
    }
  };
  const every = async (ms: number, work: () => unknown): Promise<void> => {
    while (!signal.aborted) {
      await work();
      await pause(ms, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = Promise.all([every(lookMs, look), every(tickMs, () => cloud.invoke("tick", { tick: "minute" }))]);
  // `end` awaits this promise. Until then, a tick that a closing cloud refuses must not be an unhandled rejection.
  running.catch(() => undefined);

  return {
    async end(): Promise<{ readonly fired: number; readonly handled: number }> {
      ended.abort();
      await running;
      const names = [...new Set(fired.values())];
      // The event of the last alarm may not have arrived yet.
      const untilMs = performance.now() + longestWaitMs;
      for (;;) {
        const causes = await causesOnRecord(connection.api, cloud.deployment.pools);
        const handled = names.filter((name) => causes.has(`alarm ${name}`)).length;
        if (handled === names.length || performance.now() > untilMs) return { fired: names.length, handled };
        await pause(lookMs * 5);
      }
    },
  };
}

async function causesOnRecord(api: Pick<FleetApi, "decisions">, pools: readonly string[]): Promise<ReadonlySet<string>> {
  const causes = new Set<string>();
  for (const pool of pools) {
    let cursor: string | undefined;
    do {
      const page = await api.decisions({ pool, limit: pageLength, cursor });
      for (const decision of page.items) for (const cause of decision.causes) causes.add(cause);
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
  return causes;
}
