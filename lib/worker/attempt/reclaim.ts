import type { Clock } from "../runtime/clock.ts";
import type { HeldAttempts } from "./held-attempts.ts";

/** How long before EC2 reclaims the instance uploads must stop and list what they have sent. */
const cutBeforeMs = 15_000;
/** With less time than this, an upload cannot even list what it has sent. */
const minListMs = 1_500;
/**
 * How long before EC2 reclaims the instance a node whose calls get no response must begin to end, so that it can leave what its programs did.
 * Until then a call may get one. It is enough for all that a worker does at its end.
 */
const leaveBeforeMs = 90_000;
const lookEveryMs = 1_000;
const reclaimed = "EC2 is reclaiming the instance";

export type ReclaimOptions = {
  readonly attempts: HeldAttempts;
  readonly clock: Clock;
  /** Whether the last call got no response. */
  readonly isUnanswered: () => boolean;
  /** Is called when a node whose calls get no response must begin to end. */
  readonly leave: (because: string) => void;
};

/** Arranges what must happen before EC2 reclaims the instance. */
export function beforeReclaim(endsAtMs: number, { attempts, clock, isUnanswered, leave }: ReclaimOptions): void {
  const leftMs = (): number => endsAtMs - clock.monotonicMs();
  // An upload that begins after a cut gets half of the time that is left then.
  const cutAll = (): void => {
    attempts.stopUploads(reclaimed);
    if (leftMs() / 2 > minListMs) clock.after(leftMs() / 2, cutAll);
  };
  clock.after(leftMs() - cutBeforeMs, () => {
    attempts.cutPartialUploads(reclaimed);
    clock.after(leftMs() / 2, cutAll);
  });
  const look = (): void => {
    if (isUnanswered()) leave(`${reclaimed}, and no call gets a response`);
    else if (leftMs() > 0) clock.after(lookEveryMs, look);
  };
  clock.after(leftMs() - leaveBeforeMs, look);
}

/** How long one try to leave what a node keeps may take. */
const wholeMs = 5 * 60_000;

/**
 * Leaves what the node keeps on S3 although it does not end yet, so that nothing holds it any more. What S3 cannot hold whole is not left: it may
 * still be delivered. `ending` is aborted when the worker ends, because it then leaves everything.
 */
export async function leaveWhole({
  attempts,
  clock,
  ending,
}: Pick<ReclaimOptions, "attempts" | "clock"> & { ending: AbortSignal }): Promise<void> {
  const late = new AbortController();
  const cancel = clock.after(wholeMs, () => late.abort());
  await attempts.leaveAll({ signal: AbortSignal.any([late.signal, ending]), whole: true });
  cancel();
}

/** How long the outboxes of a worker that ends may take. A process that is asked to end must do all that it does within systemd's 90 s. */
const outboxMs = { terminated: 18_000, shutdown: 5 * 60_000 } as const;
/** How long before EC2 reclaims the instance its outboxes must be there. */
const outboxSlackMs = 3_000;

/** Leaves the ends that are not recorded, and what could not be uploaded, where the server finds them. */
export async function leaveOutboxes(
  kind: keyof typeof outboxMs,
  {
    attempts,
    clock,
    endsAtMs = Number.POSITIVE_INFINITY,
  }: Omit<ReclaimOptions, "isUnanswered" | "leave"> & { endsAtMs: number | undefined },
): Promise<void> {
  const late = new AbortController();
  const cancel = clock.after(Math.min(outboxMs[kind], endsAtMs - outboxSlackMs - clock.monotonicMs()), () => late.abort());
  await attempts.leaveAll({ signal: late.signal, whole: false });
  cancel();
}
