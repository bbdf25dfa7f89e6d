import type { AttemptReport, NodeCall } from "../../../events/node-call.ts";
import { type AttemptRef, attemptName } from "../../../lib/model/job.ts";
import type { World } from "./world.ts";

type ReportFields = Partial<Extract<NodeCall, { kind: "report" }>>;
type Phase = "preparing" | "running" | "exited" | "uploading" | "uploaded" | "failed" | "stopped";
type Held = {
  readonly ref: AttemptRef;
  phase: Phase;
  exitCode: number;
  /** How the attempt ended, as it is reported while it uploads. */
  end: "exited" | "stopped";
  /** The attempt has something to upload, however it ended. */
  uploads: boolean;
};

/** A worker as the server knows it: it reports all that it has started, follows orders, and starts nothing twice. */
export class ModelWorker {
  readonly #world: World;
  readonly #node: string;
  readonly #held = new Map<string, Held>();
  readonly #over = new Set<string>();
  readonly #uploads: boolean;

  /** `uploads`: every attempt has something to upload, however it ends. */
  constructor(world: World, node: string, { uploads = false }: { readonly uploads?: boolean } = {}) {
    this.#world = world;
    this.#node = node;
    this.#uploads = uploads;
  }

  /** The attempts that may run here, whether the service responds or not. */
  get active(): readonly AttemptRef[] {
    return [...this.#held.values()].filter(({ phase }) => phase === "preparing" || phase === "running").map(({ ref }) => ref);
  }

  phaseOf(job: string): Phase | undefined {
    return [...this.#held.values()].find(({ ref }) => ref.job === job)?.phase;
  }

  /** Starts the attempts that are being prepared. */
  begin(): void {
    for (const held of this.#held.values()) if (held.phase === "preparing") held.phase = "running";
  }

  /** Ends running attempts, and completes uploads. */
  end(exitCode: number): void {
    for (const held of this.#held.values()) {
      if (held.phase === "running") Object.assign(held, { phase: "exited", exitCode });
      else if (held.phase === "uploading") held.phase = "uploaded";
    }
  }

  /** Makes one call and follows the response. Returns false if the instance should end. */
  async call(fields: ReportFields = {}): Promise<boolean> {
    const reports = [...this.#held.values()].flatMap((held) => this.#report(held));
    const response = await this.#world.call(this.#node, { ...fields, attempts: reports });
    if (response.kind === "shutdown") this.#held.clear();
    if (response.kind !== "orders") return response.kind !== "shutdown";
    for (const ref of response.done) this.#forget(ref);
    for (const order of response.orders) if (order.kind === "stop") this.#stop(order);
    const unrecorded = new Set(response.unrecorded.map(attemptName));
    for (const report of reports) {
      if (unrecorded.has(attemptName(report))) continue;
      const held = this.#held.get(attemptName(report));
      if (held && isOnRecord(report, held)) held.phase = "uploading";
    }
    for (const order of response.orders) if (order.kind === "run") this.#start(order);
    return true;
  }

  #report({ ref, phase, exitCode, end, uploads }: Held): AttemptReport[] {
    const more = uploads ? { uploads } : {};
    const startedAtMs = this.#world.nowMs;
    switch (phase) {
      case "preparing":
        return [];
      case "running":
      case "uploaded":
        return [{ ...ref, phase, startedAtMs }];
      case "exited":
      case "uploading":
        if (end === "stopped") return [{ ...ref, phase: "stopped", reason: "told to stop", ...more }];
        return [{ ...ref, phase: "exited", startedAtMs, exitCode, ...more }];
      case "failed":
        return [{ ...ref, phase, reason: "trouble", again: true }];
      case "stopped":
        return [{ ...ref, phase, reason: "told to stop", ...more }];
    }
  }

  #start({ team, job, attempt }: AttemptRef): void {
    const ref = { team, job, attempt };
    const name = attemptName(ref);
    if (this.#held.has(name)) return;
    const isOver = this.#over.has(name);
    const uploads = this.#uploads && !isOver;
    this.#held.set(name, { ref, phase: isOver ? "stopped" : "preparing", exitCode: 0, end: "exited", uploads });
  }

  #stop({ team, job, attempt }: AttemptRef): void {
    const ref = { team, job, attempt };
    const held = this.#held.get(attemptName(ref));
    const isWhole = held !== undefined && held.phase !== "uploading" && held.phase !== "uploaded";
    this.#held.set(attemptName(ref), { ref, phase: "stopped", exitCode: 0, end: "stopped", uploads: isWhole && held.uploads });
  }

  #forget(ref: AttemptRef): void {
    this.#held.delete(attemptName(ref));
    this.#over.add(attemptName(ref));
  }
}

/** Reports whether a response to that report means that the end is recorded, and the upload may start. */
function isOnRecord(report: AttemptReport, { phase, exitCode, uploads }: Held): boolean {
  if (report.phase !== phase) return false;
  return (phase === "exited" && (exitCode === 0 || uploads)) || (phase === "stopped" && uploads);
}
