import { setTimeout as pause } from "node:timers/promises";
import type { LocalCloud } from "../../local/cloud.ts";
import type { FleetApi } from "../session/fleet-api.ts";

/** Two seconds here are a minute of the alarms' periods: as often the clock ticks, which counts what pools have. */
const tickMs = 1_500;
const lookMs = 100;
const pageLength = 50;
const longestWaitMs = 10_000;

type Watching = {
  readonly cloud: Pick<LocalCloud, "alarms" | "invoke" | "deployment">;
  readonly connection: { readonly api: Pick<FleetApi, "decisions"> };
  readonly tell: (line: string) => void;
  readonly stop: AbortSignal;
};

/** Ticks as often as local minutes pass, and tells of every alarm that goes off, until `end`, which says how many did and how many decisions know of one. */
export function createAlarmWatch({ cloud, connection, tell, stop }: Watching) {
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, stop]);
  const fired = new Map<string, string>();
  const look = (): void => {
    for (const { name, state, sinceMs, reason } of cloud.alarms()) {
      const key = `${name} ${sinceMs}`;
      if (state !== "ALARM" || fired.has(key)) continue;
      fired.set(key, name);
      tell(`alarm ${name} goes off: ${reason}`);
    }
  };
  const every = async (ms: number, work: () => unknown): Promise<void> => {
    while (!signal.aborted) {
      await work();
      await pause(ms, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = Promise.all([every(lookMs, look), every(tickMs, () => cloud.invoke("tick", { tick: "minute" }))]);
  // It is awaited at the end; until then a tick that the closing cloud refuses must not count as nobody's.
  running.catch(() => undefined);

  return {
    async end(): Promise<{ readonly fired: number; readonly handled: number }> {
      ended.abort();
      await running;
      const names = [...new Set(fired.values())];
      // The last alarm's event may still be on its way.
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
