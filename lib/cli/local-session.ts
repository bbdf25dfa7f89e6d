import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from "../local/cloud.ts";

/** Stops the work when the user asks for it. */
export type Interrupt = { readonly signal: AbortSignal };

/**
 * Runs `work` on a local cloud of its own and ends the cloud afterwards, whatever happens.
 * The first Ctrl-C (or SIGTERM) aborts the work's signal and closes the cloud; a second one ends at once.
 */
export async function withLocalCloud<T>(
  options: LocalCloudOptions,
  work: (cloud: LocalCloud, interrupt: Interrupt) => Promise<T>,
): Promise<T | "interrupted"> {
  const abort = new AbortController();
  const onSignal = (): void => {
    if (abort.signal.aborted) process.exit(130);
    abort.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  let cloud: LocalCloud | undefined;
  try {
    cloud = await startLocalCloud(options);
    if (abort.signal.aborted) return "interrupted";
    const aborted = new Promise<"interrupted">((resolve) => abort.signal.addEventListener("abort", () => resolve("interrupted")));
    return await Promise.race([work(cloud, { signal: abort.signal }), aborted]);
  } finally {
    await cloud?.close();
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}
