import { Fault } from "../../model/fault.ts";

const mostReads = 4;

/**
 * Runs work that reads something and then writes on the condition that it still is as read: again, while the work
 * answers `changed` because somebody was quicker. Throws a Fault that may be retried when it keeps changing.
 */
export async function asRead<T>(what: string, work: () => Promise<T | "changed">): Promise<T> {
  for (let reads = 0; reads < mostReads; reads += 1) {
    const outcome = await work();
    if (outcome !== "changed") return outcome;
  }
  throw new Fault("table-busy", `${what} kept changing`, { retry: true });
}
