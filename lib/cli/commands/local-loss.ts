import { isEnded } from "../../model/job.ts";
import type { FleetApi } from "../session/fleet-api.ts";
import { count } from "../terminal/amount.ts";

/** The data that is lost when a local cloud ends, because it is only in memory. */
export type Loss = { readonly open: number; readonly ended: number; readonly datasets: number; readonly whole: boolean };

type LossQuery = { readonly api: Pick<FleetApi, "jobs" | "datasets">; readonly teams: readonly string[]; readonly withinMs: number };

const pageSize = 100;
/** The most pages to count per team. If there are more jobs, the text says "at least". */
const maxPages = 20;

/** Counts the loss. If something cannot be read in time, it is left out and `whole` is false. */
export async function lossOf({ api, teams, withinMs }: LossQuery): Promise<Loss> {
  const loss = { open: 0, ended: 0, datasets: 0 };
  const over = AbortSignal.timeout(withinMs);
  const late = new Promise<false>((resolve) => over.addEventListener("abort", () => resolve(false)));
  const jobs = async (team: string): Promise<boolean> => {
    let cursor: string | undefined;
    for (let page = 0; page < maxPages && !over.aborted; page++) {
      const { items, cursor: next } = await api.jobs({ team, limit: pageSize, cursor });
      for (const { state } of items) loss[isEnded(state) ? "ended" : "open"] += 1;
      if (next === undefined) return true;
      cursor = next;
    }
    return false;
  };
  const datasets = async (team: string): Promise<boolean> => {
    loss.datasets += (await api.datasets(team)).items.length;
    return true;
  };
  const counted = Promise.all(teams.flatMap((team) => [jobs(team), datasets(team)])).then(
    (each) => each.every(Boolean),
    () => false,
  );
  const whole = await Promise.race([counted, late]);
  return { ...loss, whole };
}

/** Returns the loss in words: `this deletes 443 jobs that have not ended, the logs and artifacts of 57 jobs and 2 datasets`. */
export function lossInWords({ open, ended, datasets, whole }: Loss): string {
  const parts = [
    ...(open > 0 ? [`${count(open, "job")} that ${open === 1 ? "has" : "have"} not ended`] : []),
    ...(ended > 0 ? [`the logs and artifacts of ${count(ended, "job")}`] : []),
    ...(datasets > 0 ? [count(datasets, "dataset")] : []),
  ];
  if (parts.length === 0)
    return whole ? "nothing is lost: it has no jobs and no datasets" : "this deletes all its jobs, logs, artifacts and datasets";
  const [last = "", ...before] = parts.toReversed();
  return `this deletes ${whole ? "" : "at least "}${before.length > 0 ? `${before.toReversed().join(", ")} and ` : ""}${last}`;
}
