import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { LocalCloud } from "../../local/cloud.ts";
import type { Connection } from "../session/connection.ts";

/** What a run on a local cloud uses. */
export type WireStage = {
  readonly cloud: Pick<LocalCloud, "ec2" | "invoke" | "kill" | "outage">;
  readonly connection: Pick<Connection, "queue" | "jobs" | "artifacts" | "api">;
  /** Contains what programs note and leave. It is deleted when no program runs any more that could write into it. */
  readonly folder: string;
  readonly print: (line: string) => void;
  readonly stop: AbortSignal;
  /** Waits that long, ms. Returns true after the time, or false if the signal was aborted. */
  readonly waited: (ms: number, stop: AbortSignal) => Promise<boolean>;
};

export type WireRun = {
  readonly seed: number;
  /** Number of faults that struck, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** How jobs ended. */
  readonly jobs: Readonly<Record<string, number>>;
  readonly found: readonly { readonly check: string; readonly wrong: string }[];
  readonly wallMs: number;
};

/** Creates the folder of one run. */
export async function runFolder({ folder }: Pick<WireStage, "folder">, seed: number): Promise<string> {
  const own = join(folder, String(seed));
  await mkdir(own, { recursive: true });
  return own;
}

/** Waits in real time. */
export const reallyWaited: WireStage["waited"] = (ms, stop) =>
  pause(ms, undefined, { signal: stop }).then(
    () => true,
    () => false,
  );

export function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
