import type { Console } from "./console.ts";
import { duration } from "./duration.ts";

/** Work that ends sooner shows no progress. */
const patienceMs = 1_000;

/** Does the work. If it takes over a second, shows what is going on, how far it is (the last detail given to `tell`) and for how long. */
export async function withProgress<T>(
  console: Pick<Console, "progress">,
  what: string,
  work: (report: (detail: string) => void) => Promise<T>,
): Promise<T> {
  const startedMs = performance.now();
  let detail = "";
  const timer = setInterval(() => {
    const sofar = Math.floor((performance.now() - startedMs) / 1_000) * 1_000;
    console.progress(`${what}${detail === "" ? "" : `, ${detail}`} … ${duration(sofar)}`);
  }, patienceMs);
  timer.unref();
  try {
    return await work((now) => {
      detail = now;
    });
  } finally {
    clearInterval(timer);
    console.progress(undefined);
  }
}
