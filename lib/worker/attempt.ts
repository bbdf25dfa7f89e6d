import type { AttemptReport } from "../../events/node-call.ts";
import type { AttemptRef } from "../model/job.ts";

/**
 * The life of one attempt on this node:
 *
 *   preparing → running → exited ─(code 0, and the server has it on record)→ uploading → uploaded
 *       └──────────┴────────┴───── failed · stopping → stopped ──────────────────┘
 *
 * Nothing leaves an ended state but a stop order; the server's `done` forgets the attempt.
 */
export type AttemptState =
  | { readonly phase: "preparing" }
  | { readonly phase: "running"; readonly startedAtMs: number }
  | { readonly phase: "exited"; readonly startedAtMs: number; readonly exitCode: number; readonly reason?: string | undefined }
  | { readonly phase: "uploading"; readonly startedAtMs: number }
  | { readonly phase: "uploaded"; readonly startedAtMs: number }
  | { readonly phase: "failed"; readonly reason: string; readonly again: boolean }
  | { readonly phase: "stopping"; readonly because: string; readonly startedAtMs?: number | undefined }
  | { readonly phase: "stopped"; readonly because: string };

export type AttemptEvent =
  | { readonly kind: "started"; readonly atMs: number }
  | { readonly kind: "exited"; readonly startedAtMs: number; readonly exitCode: number; readonly reason?: string | undefined }
  /** The server has answered a call that told of the exit, and did not order a stop. */
  | { readonly kind: "exit-recorded" }
  | { readonly kind: "uploaded" }
  | { readonly kind: "failed"; readonly reason: string; readonly again: boolean }
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
      return event.kind === "exit-recorded" && state.exitCode === 0 ? { phase: "uploading", startedAtMs: state.startedAtMs } : state;
    case "uploading":
      if (event.kind === "uploaded") return { phase: "uploaded", startedAtMs: state.startedAtMs };
      return event.kind === "failed" ? { phase: "failed", reason: event.reason, again: event.again } : state;
    case "stopping":
      if (event.kind === "started") return { ...state, startedAtMs: event.atMs };
      // However it ended: it was told to stop, and it has.
      return event.kind === "exit-recorded" ? state : { phase: "stopped", because: state.because };
    case "uploaded":
    case "failed":
    case "stopped":
      return state;
  }
}

function ended(state: AttemptState, event: AttemptEvent): AttemptState {
  if (event.kind === "exited") {
    return { phase: "exited", startedAtMs: event.startedAtMs, exitCode: event.exitCode, reason: event.reason };
  }
  return event.kind === "failed" ? { phase: "failed", reason: event.reason, again: event.again } : state;
}

function stopped(state: AttemptState, because: string): AttemptState {
  switch (state.phase) {
    case "preparing":
      return { phase: "stopping", because };
    case "running":
    case "uploading":
      return { phase: "stopping", because, startedAtMs: state.startedAtMs };
    case "exited":
    case "uploaded":
    case "failed":
      return { phase: "stopped", because };
    case "stopping":
    case "stopped":
      return state;
  }
}

/** Whether something of it may still run or move bytes. */
export const isActive = (state: AttemptState): boolean =>
  state.phase === "preparing" || state.phase === "running" || state.phase === "uploading" || state.phase === "stopping";

/** Whether it holds the GPUs it was given: all but an upload does while it is active. */
export const holdsGpus = (state: AttemptState): boolean => isActive(state) && state.phase !== "uploading";

/** Whether it may still need its credentials. */
export const needsCredentials = (state: AttemptState): boolean => isActive(state) || (state.phase === "exited" && state.exitCode === 0);

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
      return {
        ...of,
        phase: "exited",
        startedAtMs: state.startedAtMs,
        exitCode: state.exitCode,
        ...(state.reason === undefined ? {} : { reason: cut(state.reason) }),
      };
    case "uploading":
      return { ...of, phase: "exited", startedAtMs: state.startedAtMs, exitCode: 0 };
    case "uploaded":
      return { ...of, phase: "uploaded", startedAtMs: state.startedAtMs };
    case "failed":
      return { ...of, phase: "failed", reason: cut(state.reason), again: state.again };
    case "stopping":
      return state.startedAtMs === undefined ? undefined : { ...of, phase: "running", startedAtMs: state.startedAtMs };
    case "stopped":
      return { ...of, phase: "stopped", reason: cut(state.because) };
  }
}

/** A map key; the parts cannot hold a slash. */
export const keyOf = (ref: AttemptRef): string => `${ref.team}/${ref.job}/${ref.attempt}`;
