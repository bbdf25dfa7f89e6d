import type { AttemptRef } from "../../model/job.ts";
import type { Ports } from "../../ports/ports.ts";
import { settled } from "../node/settled.ts";

export type SealAgainDeps = Pick<Ports, "sealAgain" | "sealing"> & { readonly now: () => number };

/** If nothing has happened to an upload that waits to be sealed for this long, its event is lost. Failures and repeats happen to it, too. */
const lostAfterMs = 15 * 60_000;
/** The most uploads for which one tick does so. The next one continues. */
const maxSealsAgain = 1_000;

/**
 * Asks for uploads to be sealed whose messages are lost, and returns their number. A message that failed is delivered again, and is not lost.
 * An upload that fails here does not keep the others; then the first failure is thrown.
 */
export async function sealAgain(deps: SealAgainDeps): Promise<number> {
  const atMs = deps.now();
  const beforeMs = atMs - lostAfterMs;
  const waiting = await deps.sealing.waitingSince(beforeMs);
  const again = async (attempt: AttemptRef): Promise<boolean> => {
    // The claim goes first, so that two ticks do not send two messages. If the message cannot be sent, the next one follows in 15 minutes.
    if (!(await deps.sealing.claimAgain(attempt, { beforeMs, atMs }))) return false;
    await deps.sealAgain.send(attempt);
    return true;
  };
  const { done, failures } = await settled(waiting.slice(0, maxSealsAgain), { concurrency: 16 }, again);
  const [failure] = failures;
  if (failure) throw failure.error;
  return done.filter(Boolean).length;
}
