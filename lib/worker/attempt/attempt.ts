import type { AttemptReport } from "../../../events/node-call.ts";
import type { AttemptRef } from "../../model/job.ts";

/**
 * The life of one attempt on this node:
 *
 *   preparing → running → exited ──┐
 *       │          ├────→ failed ──┼─(with something to upload, once the server has the end on record)→ uploading
 *       └──────────┴─ stopping → stopped ─┘
 *
 * From `uploading` an exit with code 0 leads to `uploaded`. Any other end leads back to that end, with nothing to upload any more:
 * told again like this, it means the same whether or not the server had it on record. Nothing else leaves an ended
 * state but a stop order; the server's `done` forgets the attempt.
 */
export type AttemptState =
  | { readonly phase: "preparing" }
  | { readonly phase: "running"; readonly startedAtMs: number }
  | Ended
  | { readonly phase: "uploading"; readonly end: Ended }
  | { readonly phase: "uploaded"; readonly startedAtMs: number }
  /** `end`: its upload is being stopped; its program has long ended. */
  | { readonly phase: "stopping"; readonly because: string; readonly startedAtMs?: number | undefined; readonly end?: Ended };

/** How the run of its program ended. `uploads`: it left something that is still to be uploaded. */
export type Ended = { readonly uploads: boolean } & (
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
  /** It may upload now: the server has its end on record, or has been silent for too long. */
  | { readonly kind: "may-upload" }
  | { readonly kind: "uploaded" }
  | { readonly kind: "stop"; readonly because: string };

/** The state after an event; the very same state when the event means nothing (any more). */
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
  if (event.kind !== "uploaded" && event.kind !== "failed") return state;
  if (!isGood(end)) return { ...end, uploads: false };
  if (event.kind === "uploaded") return { phase: "uploaded", startedAtMs: end.startedAtMs };
  // Without its files the run is worth nothing.
  return { phase: "failed", reason: event.reason, again: event.again, uploads: false };
}

function afterStop(state: Extract<AttemptState, { phase: "stopping" }>, event: AttemptEvent): AttemptState {
  const { because, end } = state;
  if (event.kind === "may-upload") return state;
  if (end) return isGood(end) ? { phase: "stopped", because, uploads: false } : { ...end, uploads: false };
  if (event.kind === "started") return { ...state, startedAtMs: event.atMs };
  // However it ended: it was told to stop, and it has.
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
    // The order may be older than its end: what it left is uploaded all the same, unless the server is done with it.
    case "exited":
    case "failed":
      return { phase: "stopped", because, uploads: state.uploads };
    case "uploaded":
      return { phase: "stopped", because, uploads: false };
    case "stopping":
    case "stopped":
      return state;
  }
}

const isGood = (end: Ended): end is Extract<Ended, { phase: "exited" }> => end.phase === "exited" && end.exitCode === 0;

/** Whether its program has ended, or never began and never will. */
export const hasEnded = (state: AttemptState): boolean => !holdsGpus(state);

/** The end of its program, while what it left waits to be uploaded. */
export const endToUpload = (state: AttemptState): Ended | undefined => ("uploads" in state && state.uploads ? state : undefined);

/** Whether something of it may still run or move bytes. */
export const isActive = (state: AttemptState): boolean =>
  state.phase === "preparing" || state.phase === "running" || state.phase === "uploading" || state.phase === "stopping";

/** Whether a part of what it uploads is worth keeping: of a good end only the whole is. */
export const keepsPart = (state: AttemptState): boolean => state.phase === "uploading" && !isGood(state.end);

export const isUploading = (state: AttemptState): boolean =>
  state.phase === "uploading" || (state.phase === "stopping" && state.end !== undefined);

/** Whether its program may still run, on the GPUs it was given. */
export const holdsGpus = (state: AttemptState): boolean =>
  state.phase === "preparing" || state.phase === "running" || (state.phase === "stopping" && state.end === undefined);

/** Whether it may still need its credentials. */
export const needsCredentials = (state: AttemptState): boolean => isActive(state) || endToUpload(state) !== undefined;

const longestReason = 2000;
const cut = (text: string): string => (text.length <= longestReason ? text : `${text.slice(0, longestReason - 1)}…`);

/** What the server is told; undefined while there is nothing to tell. */
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

function reportOfEnd(of: AttemptRef, end: Ended): AttemptReport {
  const uploads = end.uploads ? { uploads: true } : {};
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

/** A map key; the parts cannot hold a slash. */
export const keyOf = (ref: AttemptRef): string => `${ref.team}/${ref.job}/${ref.attempt}`;
