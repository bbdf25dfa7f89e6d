import type { AttemptReport, Credentials } from "../../../events/node-call.ts";
import type { AttemptRef } from "../../model/job.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import {
  type AttemptEvent,
  type AttemptState,
  endToUpload,
  hasEnded,
  holdsGpus,
  isActive,
  isUploading,
  keepsPart,
  keyOf,
  needsCredentials,
  next,
  reportOf,
} from "./attempt.ts";
import type { LiveAttempt, RunOrder, StartAttempt } from "./attempt-run.ts";
import { allotGpus } from "./gpus.ts";

type Held = {
  readonly ref: AttemptRef;
  state: AttemptState;
  readonly gpus: readonly number[];
  /** Absent for an attempt of which nothing ever ran in this process. */
  readonly live?: LiveAttempt;
  /** The server wants to hear no more of it. */
  forget: boolean;
};

export type HeldAttemptsOptions = {
  readonly start: StartAttempt;
  /** How long a program that is stopped now may take to end. */
  readonly graceMs: () => number;
  readonly changed: () => void;
  readonly clock: Clock;
  /** For how long the server has not been in reach. */
  readonly silentForMs: () => number;
  readonly log: Log;
};

/** An end waits for so long to get on record. Then what the attempt left is uploaded all the same: S3 may be in reach. */
const silenceMs = 30_000;

const mostRemembered = 10_000;

/** The attempts this node holds, and what it does with each. An attempt runs here once, whatever orders come late or twice. */
export class HeldAttempts {
  readonly #options: HeldAttemptsOptions;
  readonly #held = new Map<string, Held>();
  readonly #over = new Set<string>();
  readonly #removals = new Set<Promise<void>>();

  constructor(options: HeldAttemptsOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  get isUploading(): boolean {
    return this.#all().some(({ state }) => isUploading(state));
  }

  /** Whether a program may still run here. */
  get isRunning(): boolean {
    return this.#all().some(({ state }) => holdsGpus(state));
  }

  reports(): readonly AttemptReport[] {
    return this.#all().flatMap(({ ref, state }) => reportOf(ref, state) ?? []);
  }

  /** Attempts that still need credentials, and whose own end before then. */
  endingBefore(wallMs: number): readonly AttemptRef[] {
    return this.#all()
      .filter(({ state, live }) => live !== undefined && needsCredentials(state) && live.credentialsExpireAtMs < wallMs)
      .map(({ ref }) => ref);
  }

  start(order: RunOrder): void {
    const ref = refOf(order);
    const key = keyOf(ref);
    const known = this.#held.get(key);
    if (known) {
      known.live?.renew(order.credentials);
    } else if (this.#over.has(key)) {
      this.note(ref, "this attempt has already ended on this node");
    } else {
      const busy = this.#all().filter(({ state }) => holdsGpus(state));
      const gpus = allotGpus(
        order.spec.gpus.count,
        busy.map((held) => held.gpus),
      );
      this.#options.log("info", "an attempt begins", { attempt: key, gpus: gpus.join(",") });
      // Events come in later turns only, when what they are about is held.
      const live = this.#options.start(order, gpus, (event) => this.#apply(held, event));
      const held: Held = { ref, state: { phase: "preparing" }, gpus, live, forget: false };
      this.#held.set(key, held);
    }
  }

  /**
   * An order to stop, in the answer to a call that told `told` of the attempt. One that has ended since then is not touched: the next
   * call tells of its end, and what the server says to that counts.
   */
  stop(of: AttemptRef, because: string, told: AttemptReport | undefined): void {
    const held = this.#held.get(keyOf(of));
    if (!held) this.note(refOf(of), because);
    else if (!hasEnded(held.state) || (told !== undefined && told.phase !== "running")) this.#apply(held, { kind: "stop", because });
  }

  /** Stops programs, and what comes before them; uploads go on. */
  stopPrograms(because: string): void {
    for (const held of this.#all()) if (holdsGpus(held.state)) this.#apply(held, { kind: "stop", because });
  }

  /** Begins all uploads that wait for the server. */
  uploadAll(): void {
    for (const held of this.#all()) this.#apply(held, { kind: "may-upload" });
  }

  stopUploads(because: string): void {
    for (const held of this.#all()) if (isUploading(held.state)) this.#apply(held, { kind: "stop", because });
  }

  /** Has uploads list what they have sent, before their instance is no more. One of which only the whole counts goes on. */
  cutUploads(because: string): void {
    for (const held of this.#all()) if (keepsPart(held.state)) this.#apply(held, { kind: "stop", because });
  }

  /** The server has answered a call that told this, and neither ordered a stop nor is done with it: an end is on record. */
  heard(told: AttemptReport): void {
    const held = this.#held.get(keyOf(told));
    if (held?.state.phase === told.phase) this.#apply(held, { kind: "may-upload" });
  }

  renew(of: AttemptRef, credentials: Credentials): void {
    this.#held.get(keyOf(of))?.live?.renew(credentials);
  }

  /** An attempt of which nothing runs here (any more), so that the server learns that. */
  note(ref: AttemptRef, because: string): void {
    this.#held.set(keyOf(ref), { ref, state: { phase: "stopped", because, uploads: false }, gpus: [], forget: false });
    this.#options.changed();
  }

  forget(of: AttemptRef): void {
    const held = this.#held.get(keyOf(of));
    if (held === undefined) return;
    held.forget = true;
    if (isActive(held.state)) this.#apply(held, { kind: "stop", because: "the server knows it no more" });
    else this.#drop(held);
  }

  /** Removes what all attempts, held or just forgotten, have on this machine. */
  async removeAll(): Promise<void> {
    for (const held of this.#all()) this.#drop(held);
    await Promise.all(this.#removals);
  }

  #all(): Held[] {
    return [...this.#held.values()];
  }

  #apply(held: Held, event: AttemptEvent): void {
    const state = next(held.state, event);
    if (state === held.state) return;
    const before = held.state.phase;
    held.state = state;
    this.#options.log("info", "an attempt changed", { attempt: keyOf(held.ref), from: before, to: state.phase, because: reasonOf(state) });
    if (state.phase === "stopping" && before !== "stopping") held.live?.stop(this.#options.graceMs());
    if (state.phase === "uploading") held.live?.upload();
    if (endToUpload(state)) this.#uploadLater(held);
    if (held.forget && !isActive(state)) this.#drop(held);
    this.#options.changed();
  }

  #uploadLater(held: Held): void {
    const { clock, silentForMs } = this.#options;
    const upload = (): void => {
      if (this.#held.get(keyOf(held.ref)) === held) this.#apply(held, { kind: "may-upload" });
    };
    const waitMs = silenceMs - silentForMs();
    if (waitMs > 0) clock.after(waitMs, upload);
    else upload();
  }

  #drop(held: Held): void {
    const key = keyOf(held.ref);
    this.#held.delete(key);
    this.#over.add(key);
    for (const oldest of this.#over) {
      if (this.#over.size <= mostRemembered) break;
      this.#over.delete(oldest);
    }
    const removal = this.#remove(held).finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }

  async #remove(held: Held): Promise<void> {
    try {
      await held.live?.remove();
    } catch (error) {
      this.#options.log("warn", "an attempt's folder could not be removed", { attempt: keyOf(held.ref) }, error);
    }
  }
}

const refOf = ({ team, job, attempt }: AttemptRef): AttemptRef => ({ team, job, attempt });

/** In one line; what a job wrote stays in the job's own log. */
function reasonOf(state: AttemptState): string | undefined {
  if (state.phase === "stopping" || state.phase === "stopped") return state.because;
  return (state.phase === "failed" || state.phase === "exited") && state.reason !== undefined ? state.reason.split("\n")[0] : undefined;
}
