import type { AttemptReport } from "../../../events/node-call.ts";
import type { AttemptRef } from "../../model/job.ts";

/**
 * The life of one attempt on this node:
 *
 *   preparing → running → exited ──┐
 *       │          ├────→ failed ──┼─(with something to upload, once the server has the end on record)→ uploading
 *       └──────────┴─ stopping → stopped ─┘
 *
 * An upload that fails while calls get no response leads back to the end that it is about, so that an outage costs no result.
 * After the upload, an exit with code 0 becomes `uploaded`. Any other end becomes that same end again, with nothing left to upload, so
 * that the report means the same whether or not the server had already recorded it. Besides that, only a stop order leaves an ended
 * state. The worker forgets the attempt when the server says that it is `done` with it.
 */
export type AttemptState =
  | { readonly phase: "preparing" }
  | { readonly phase: "running"; readonly startedAtMs: number }
  | EndedAttempt
  | { readonly phase: "uploading"; readonly end: EndedAttempt }
  | { readonly phase: "uploaded"; readonly startedAtMs: number }
  /** `end` is set if its program has already ended and its upload is being stopped. */
  | { readonly phase: "stopping"; readonly because: string; readonly startedAtMs?: number | undefined; readonly end?: EndedAttempt };

/** How the attempt's program ended. `uploads`: it left something that must still be uploaded. `sent`: files of it may have been uploaded. */
export type EndedAttempt = { readonly uploads: boolean; readonly sent?: true } & (
  | { readonly phase: "exited"; readonly startedAtMs: number; readonly exitCode: number; readonly reason?: string | undefined }
  | { readonly phase: "failed"; readonly reason: string; readonly again: boolean }
  | { readonly phase: "stopped"; readonly because: string }
);

export type AttemptEvent =
  | { readonly kind: "started"; readonly atMs: number }
  | {
      readonly kind: "exited";
      readonly startedAtMs: number;
      readonly exitCode: number;
      readonly reason?: string | undefined;
      readonly leaves: boolean;
    }
  /** `leaves`: there is something to upload. */
  | { readonly kind: "failed"; readonly reason: string; readonly again: boolean; readonly leaves: boolean }
  /** The attempt may upload now, because the server has recorded its end or has not responded for too long. */
  | { readonly kind: "may-upload" }
  | { readonly kind: "uploaded" }
  /** The upload has failed or was stopped, and what the attempt left is still to be uploaded, when a call gets a response. */
  | { readonly kind: "kept" }
  | { readonly kind: "stop"; readonly because: string };

/** Returns the state after an event, or the same object if the event has no effect in this state. */
export function next(state: AttemptState, event: AttemptEvent): AttemptState {
  if (event.kind === "stop") return stopped(state, event.because);
  switch (state.phase) {
    case "preparing":
      if (event.kind === "started") return { phase: "running", startedAtMs: event.atMs };
      return ended(state, event);
    case "running":
      return ended(state, event);
    case "exited":
    case "failed":
    case "stopped":
      return event.kind === "may-upload" && state.uploads ? { phase: "uploading", end: state } : state;
    case "uploading":
      return afterUpload(state, event);
    case "stopping":
      return afterStop(state, event);
    case "uploaded":
      return state;
  }
}

function ended(state: AttemptState, event: AttemptEvent): AttemptState {
  if (event.kind === "exited") {
    const { startedAtMs, exitCode, reason, leaves } = event;
    return { phase: "exited", startedAtMs, exitCode, reason, uploads: leaves };
  }
  return event.kind === "failed" ? { phase: "failed", reason: event.reason, again: event.again, uploads: event.leaves } : state;
}

function afterUpload(state: Extract<AttemptState, { phase: "uploading" }>, event: AttemptEvent): AttemptState {
  const { end } = state;
  if (event.kind === "kept") return end;
  if (event.kind !== "uploaded" && event.kind !== "failed") return state;
  if (!isGood(end)) return { ...end, uploads: false, sent: true };
  if (event.kind === "uploaded") return { phase: "uploaded", startedAtMs: end.startedAtMs };
  // A successful run whose files could not be uploaded has failed, because its result is lost.
  return { phase: "failed", reason: event.reason, again: event.again, uploads: false };
}

function afterStop(state: Extract<AttemptState, { phase: "stopping" }>, event: AttemptEvent): AttemptState {
  const { because, end } = state;
  if (event.kind === "may-upload") return state;
  if (end && event.kind === "kept") return end;
  if (end) return { ...(isGood(end) ? { phase: "stopped", because } : end), uploads: false, sent: true };
  if (event.kind === "started") return { ...state, startedAtMs: event.atMs };
  // It counts as stopped, however it ended, because it was ordered to stop.
  return { phase: "stopped", because, uploads: (event.kind === "exited" || event.kind === "failed") && event.leaves };
}

function stopped(state: AttemptState, because: string): AttemptState {
  switch (state.phase) {
    case "preparing":
      return { phase: "stopping", because };
    case "running":
      return { phase: "stopping", because, startedAtMs: state.startedAtMs };
    case "uploading":
      return { phase: "stopping", because, end: state.end };
    // The server may not have known of the end when it sent the order. What the attempt left is still uploaded, unless the server is done
    // with it.
    case "exited":
    case "failed":
      return { phase: "stopped", because, uploads: state.uploads, ...(state.sent && { sent: true }) };
    case "uploaded":
      return { phase: "stopped", because, uploads: false };
    case "stopping":
    case "stopped":
      return state;
  }
}

const isGood = (end: EndedAttempt): end is Extract<EndedAttempt, { phase: "exited" }> => end.phase === "exited" && end.exitCode === 0;

/** Reports whether the attempt's program has ended, or will never start. */
export const hasEnded = (state: AttemptState): boolean => !holdsGpus(state);

/** Returns the program's end if what it left waits to be uploaded, or undefined. */
export const endToUpload = (state: AttemptState): EndedAttempt | undefined => ("uploads" in state && state.uploads ? state : undefined);

/** Reports whether the attempt may still run something or transfer data. */
export const isActive = (state: AttemptState): boolean =>
  state.phase === "preparing" || state.phase === "running" || state.phase === "uploading" || state.phase === "stopping";

/** Reports whether an upload is worth something although it is only a part. After a successful end only the whole upload counts. */
export const isPartUseful = (state: AttemptState): boolean => state.phase === "uploading" && !isGood(state.end);

export const isUploading = (state: AttemptState): boolean =>
  state.phase === "uploading" || (state.phase === "stopping" && state.end !== undefined);

/** Reports whether the attempt's program may still run, and so use its GPUs. */
export const holdsGpus = (state: AttemptState): boolean =>
  state.phase === "preparing" || state.phase === "running" || (state.phase === "stopping" && state.end === undefined);

/** Reports whether the attempt may still need its credentials. */
export const needsCredentials = (state: AttemptState): boolean => isActive(state) || endToUpload(state) !== undefined;

const longestReason = 2000;
const cut = (text: string): string => (text.length <= longestReason ? text : `${text.slice(0, longestReason - 1)}…`);

/** Returns what the worker reports to the server about an attempt, or undefined if there is nothing to report yet. */
export function reportOf({ team, job, attempt }: AttemptRef, state: AttemptState): AttemptReport | undefined {
  const of = { team, job, attempt };
  switch (state.phase) {
    case "preparing":
      return undefined;
    case "running":
      return { ...of, phase: "running", startedAtMs: state.startedAtMs };
    case "exited":
    case "failed":
    case "stopped":
      return reportOfEnd(of, state);
    case "uploading":
      return reportOfEnd(of, state.end);
    case "uploaded":
      return { ...of, phase: "uploaded", startedAtMs: state.startedAtMs };
    case "stopping":
      if (state.end) return reportOfEnd(of, state.end);
      return state.startedAtMs === undefined ? undefined : { ...of, phase: "running", startedAtMs: state.startedAtMs };
  }
}

function reportOfEnd(of: AttemptRef, end: EndedAttempt): AttemptReport {
  const uploads = end.uploads ? { uploads: true } : end.sent ? { uploads: false } : {};
  switch (end.phase) {
    case "exited": {
      const { phase, startedAtMs, exitCode, reason } = end;
      return { ...of, phase, startedAtMs, exitCode, ...(reason === undefined ? {} : { reason: cut(reason) }), ...uploads };
    }
    case "failed":
      return { ...of, phase: "failed", reason: cut(end.reason), again: end.again, ...uploads };
    case "stopped":
      return { ...of, phase: "stopped", reason: cut(end.because), ...uploads };
  }
}

/** Returns a map key. It is unique because the parts cannot contain a slash. */
export const keyOf = (ref: AttemptRef): string => `${ref.team}/${ref.job}/${ref.attempt}`;
