import { FleetError } from "../../model/fleet-error.ts";

const maxReads = 4;

/**
 * Runs work that reads something and then writes on the condition that it has not changed. Repeats the work if it returns
 * `changed` because another writer was faster. Throws a FleetError with `retry` if that happens too often.
 */
export async function asRead<T>(what: string, work: () => Promise<T | "changed">): Promise<T> {
  for (let reads = 0; reads < maxReads; reads += 1) {
    const outcome = await work();
    if (outcome !== "changed") return outcome;
  }
  throw new FleetError("table-busy", `${what} kept changing`, { retry: true });
}
