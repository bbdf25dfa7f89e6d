import { setTimeout as pause } from "node:timers/promises";
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from "../../local/cloud.ts";
import { exitCodes } from "../invocation/exit.ts";
import { makeWritable } from "../invocation/folders.ts";

/** A second signal within this time is the same Ctrl-C, because a wrapper such as npm may forward what the terminal sent to all. */
const sameKeyMs = 400;
/** Time limit for closing the cloud. The watchdogs end the rest once this process has ended. */
const longestCloseMs = 12_000;

/** Time limit of the farewell, so that it cannot keep the cloud from ending. */
const longestFarewellMs = 4_000;

/** Stops the work when the user asks for it. */
export type Interrupt = { readonly signal: AbortSignal };

export type SessionOptions = LocalCloudOptions & {
  /** Runs before the cloud ends, for a few seconds at most. Its errors are ignored. */
  readonly farewell?: (cloud: LocalCloud) => Promise<void>;
  /** Starts the cloud. @default the real one */
  readonly start?: typeof startLocalCloud;
};

/**
 * Starts a local cloud, runs `work` on it, and ends the cloud afterwards, whatever happens.
 * The first Ctrl-C (or SIGTERM) aborts the work's signal and closes the cloud within 12 s; a second one exits at once.
 */
export async function withLocalCloud<T>(
  { farewell, start = startLocalCloud, ...options }: SessionOptions,
  work: (cloud: LocalCloud, interrupt: Interrupt) => Promise<T>,
): Promise<T | "interrupted"> {
  const abort = new AbortController();
  let signalledAtMs = 0;
  let tooLong: NodeJS.Timeout | undefined;
  const onSignal = (): void => {
    if (!abort.signal.aborted) {
      signalledAtMs = performance.now();
      abort.abort();
      tooLong = setTimeout(() => process.exit(exitCodes.interrupted), longestCloseMs).unref();
    } else if (performance.now() - signalledAtMs > sameKeyMs) process.exit(exitCodes.interrupted);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  let cloud: LocalCloud | undefined;
  try {
    await makeWritable(options.folder);
    cloud = await start(options);
    if (abort.signal.aborted) return "interrupted";
    const aborted = new Promise<"interrupted">((resolve) => abort.signal.addEventListener("abort", () => resolve("interrupted")));
    return await Promise.race([work(cloud, { signal: abort.signal }), aborted]);
  } catch (error) {
    // The same Ctrl-C also ended a running installation or synthesis, which is not a failure.
    if (abort.signal.aborted) return "interrupted";
    throw error;
  } finally {
    if (cloud && farewell)
      await Promise.race([farewell(cloud).catch(() => undefined), pause(longestFarewellMs, undefined, { ref: false })]);
    await cloud?.close();
    clearTimeout(tooLong);
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}
