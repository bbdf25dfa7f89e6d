import type { AttemptReport } from "../../../events/node-call.ts";
import type { FetchedDataset } from "../../model/dataset.ts";
import type { AttemptRef } from "../../model/job.ts";
import { isFirstMember } from "../../model/node.ts";
import type { AttemptEvent } from "../../worker/attempt/attempt.ts";
import type { LiveAttempt, RunOrder } from "../../worker/attempt/attempt-run.ts";

/** The behaviour of a job's program, wherever it runs. */
export type SimProgram = {
  readonly seconds: number;
  /** The number of its next runs that exit with a code other than 0. */
  failures: number;
  readonly files: number;
};

/** What an attempt needs from the machine that runs it. */
export type ProgramHost = {
  readonly programOf: (ref: AttemptRef) => SimProgram;
  /** Returns the number and size of the shards in a list, or undefined if the list does not exist (any more). */
  readonly readList: (key: string) => { readonly shards: number; readonly bytes: number } | undefined;
  /** Uploads files and manifest to the bucket. Returns false if that fails. */
  readonly upload: (ref: AttemptRef, files: number) => boolean;
  /** Leaves the attempt's end, and its files, on S3. Returns false if that fails. */
  readonly leave: (ref: AttemptRef, left: { readonly report: AttemptReport; readonly files?: number }) => boolean;
  readonly wallMs: () => number;
  readonly after: (ms: number, run: () => void) => () => void;
  readonly began: (order: RunOrder) => void;
  readonly over: (ref: AttemptRef) => void;
  /** Called when a program ends with another code than 0 by itself. */
  readonly failed: (ref: AttemptRef) => void;
  readonly fetched: (datasets: readonly FetchedDataset[]) => void;
};

const prepareMs = 1_500;
const perDatasetMs = 2_000;
const uploadMs = 2_000;
const perFileMs = 6_000;
const leaveMs = 1_000;
const leaveAgainMs = 3_000;
/** The time that a program takes to end after it was asked to stop, unless its grace is shorter. */
const endsWithinMs = 3_000;

/** Starts an attempt in virtual time. It prepares, runs and uploads, and emits the same events as an attempt of the real worker. */
export function beginAttempt(host: ProgramHost, order: RunOrder, emit: (event: AttemptEvent) => void): LiveAttempt {
  const { team, job, attempt } = order;
  const ref = { team, job, attempt };
  const program = host.programOf(ref);
  /** As in the real worker, only the first member of a gang leaves files. */
  const leaves = isFirstMember(order.gang?.rank);
  const state = { expiresAtMs: order.credentials.expiresAtMs, cancel: () => {}, isStopped: false, startedAtMs: 0, phase: "preparing" };
  const later = (ms: number, run: () => void): void => {
    state.cancel = host.after(ms, run);
  };
  const exited = (exitCode: number): void => {
    state.phase = "exited";
    host.over(ref);
    emit({ kind: "exited", startedAtMs: state.startedAtMs, exitCode, leaves });
  };
  const run = (): void => {
    const fetched = (order.datasets ?? []).map(({ name, version, list }) => ({ name, version, found: host.readList(list.key) }));
    const missing = fetched.find(({ found }) => found === undefined);
    if (missing) {
      state.phase = "failed";
      emit({ kind: "failed", reason: `the list of dataset ${missing.name} is missing`, again: true, leaves: false });
      return;
    }
    host.fetched(
      fetched.map(({ name, version, found }) => ({ team, dataset: name, version, shards: found?.shards ?? 0, bytes: found?.bytes ?? 0 })),
    );
    state.phase = "running";
    state.startedAtMs = host.wallMs();
    host.began(order);
    emit({ kind: "started", atMs: state.startedAtMs });
    const ms = Math.min(program.seconds, order.spec.maxRuntimeSeconds) * 1000;
    later(ms, () => {
      const exitCode = endOf(program, order);
      if (exitCode !== 0) host.failed(ref);
      exited(exitCode);
    });
  };
  later(prepareMs + perDatasetMs * (order.datasets?.length ?? 0), run);

  return {
    get credentialsExpireAtMs() {
      return state.expiresAtMs;
    },
    renew: ({ expiresAtMs }) => {
      state.expiresAtMs = expiresAtMs;
    },
    upload: () => {
      state.phase = "uploading";
      state.isStopped = false;
      later(uploadMs + perFileMs * program.files, () => {
        state.phase = "uploaded";
        emit(
          host.upload(ref, program.files)
            ? { kind: "uploaded" }
            : { kind: "failed", reason: "S3 could not be reached", again: true, leaves },
        );
      });
    },
    stop: (graceMs) => {
      if (state.isStopped) return;
      state.isStopped = true;
      state.cancel();
      if (state.phase === "running") later(Math.min(graceMs, endsWithinMs), () => exited(143));
      else later(0, () => emit({ kind: "failed", reason: "the attempt was stopped", again: true, leaves: false }));
    },
    leave: async (report, { signal }) => {
      const files = "uploads" in report && report.uploads && leaves && state.startedAtMs > 0 ? program.files : undefined;
      for (let ms = leaveMs + perFileMs * (files ?? 0); !signal.aborted; ms = leaveAgainMs) {
        await new Promise<void>((resolve) => host.after(ms, resolve));
        if (!signal.aborted && host.leave(ref, { report, ...(files !== undefined && { files }) })) return true;
      }
      return false;
    },
    remove: async () => {
      state.cancel();
    },
  };
}

/** Returns the exit code. Only the first member of a gang fails. */
function endOf(program: SimProgram, { gang }: RunOrder): number {
  if ((gang?.rank ?? 0) > 0 || program.failures === 0) return 0;
  program.failures -= 1;
  return 1;
}
