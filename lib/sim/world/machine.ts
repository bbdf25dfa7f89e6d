import type { AttemptReport, NodeCall, NodeResponse } from "../../../events/node-call.ts";
import type { FetchedDataset } from "../../model/dataset.ts";
import { type AttemptRef, attemptName } from "../../model/job.ts";
import type { Launch } from "../../model/launch.ts";
import { interruptionWarningMs, type Notice } from "../../model/telemetry.ts";
import { Agent } from "../../worker/attempt/agent.ts";
import type { RunOrder } from "../../worker/attempt/attempt-run.ts";
import { scheduleMachineFaults } from "../faults/machine-faults.ts";
import { Wire, type WireWorld } from "../faults/wire.ts";
import type { Fact, ProgramRun } from "./facts.ts";
import { beginAttempt, type ProgramHost } from "./program.ts";

export type MachineWorld = WireWorld &
  Omit<ProgramHost, "after" | "wallMs" | "began" | "over" | "failed" | "fetched" | "leave"> & {
    readonly emit: (fact: Fact) => void;
    readonly note: (...parts: readonly unknown[]) => void;
    /** Called when the instance hangs for good, so that EC2 cannot reach it. */
    readonly hung: (instance: string) => void;
    /** Called when the instance shuts itself down. */
    readonly shutDown: (instance: string) => void;
    /** Leaves the end of an attempt, and its files, on S3. Returns false if that fails. */
    readonly leave: (ref: AttemptRef, left: LeftEnd) => boolean;
  };

/** `files`: how many files the attempt left; undefined if it keeps none. */
export type LeftEnd = { readonly instance: string; readonly process: string; readonly report: AttemptReport; readonly files?: number };

const restartMs = 5_000;

/**
 * A running instance: the real worker's agent with clocks of its own, and programs that run for a given time. It can freeze, lose its
 * network, have its worker crash and restart, and end at any time.
 */
export class SimMachine {
  readonly #world: MachineWorld;
  readonly #id: string;
  readonly #launch: Launch;
  readonly #gpus: number;
  /** Since when it hangs for good, in the world's ms; undefined if it does not. */
  hungSinceMs: number | undefined;
  /** How often its worker's process has died. */
  crashes = 0;
  readonly #wire: Wire;
  readonly #address: string;
  readonly #running = new Map<string, ProgramRun>();
  /** What ran when its programs were last stopped together. The next process of its worker finds it on the disk. */
  readonly #left: AttemptRef[] = [];
  #datasets: readonly FetchedDataset[] = [];
  #notice: Notice | undefined;
  /** When EC2 reclaims it, in the world's ms. */
  #endsAtMs: number | undefined;
  /** Counts the runs of the worker's process. Timers and calls of earlier runs must have no effect. */
  #life = 0;
  #isHalted = false;
  #frozenUntilMs = 0;
  /** Timers that were due while it was frozen. */
  readonly #due: (() => void)[] = [];
  /** Since when a fault of this machine keeps its worker from being heard; undefined from its next call that arrives on. */
  #unheardSinceMs: number | undefined;
  #drift = { rate: 1, wallMs: 0 };

  constructor(world: MachineWorld, of: { readonly id: string; readonly launch: Launch; readonly gpus: number; readonly number: number }) {
    this.#world = world;
    this.#id = of.id;
    this.#launch = of.launch;
    this.#gpus = of.gpus;
    this.#wire = new Wire(world, of.id);
    this.#address = `10.0.${of.number >> 8}.${of.number & 255}`;
  }

  /** Its programs that make progress now. */
  get running(): readonly ProgramRun[] {
    return this.#isFrozen ? [] : [...this.#running.values()];
  }

  warn(notice: Notice): void {
    this.#notice = notice;
    if (notice.kind === "interruption") this.#endsAtMs = notice.atMs + interruptionWarningMs;
  }

  boot(): void {
    const { faults } = this.#world;
    if (faults.strikes("worker.skew", this.#id)) {
      const chance = faults.chance("worker.skew");
      this.#drift = { rate: chance.between(970, 1030) / 1000, wallMs: chance.between(-7_200_000, 7_200_000) };
    }
    scheduleMachineFaults(
      this.#world,
      { id: this.#id, isHalted: () => this.#isHalted },
      {
        "worker.crash": () => this.#crash(),
        "worker.freeze": (forMs) => this.#freeze(forMs),
        "worker.partition": (forMs) => this.cutOff(forMs),
        "worker.death": () => this.hang(),
      },
    );
    this.#begin([]);
  }

  /** Since when its worker was not heard, in the world's ms, because of this machine alone; undefined if it can be heard, and has been. */
  get unreachableSinceMs(): number | undefined {
    return this.hungSinceMs ?? this.#unheardSinceMs;
  }

  /** Takes its network away for some time; until the faults stop, if `forMs` is infinite. */
  cutOff(forMs: number): void {
    this.#unheardSinceMs ??= this.#world.clock.nowMs;
    this.#wire.cut(forMs);
  }

  /** Stops everything for good. EC2 says that the instance runs, and that it fails status checks. */
  hang(): void {
    this.hungSinceMs = this.#world.clock.nowMs;
    this.#world.hung(this.#id);
    this.halt();
  }

  /** Stops everything, because the instance has ended or is off. */
  halt(): void {
    this.#isHalted = true;
    this.#stopPrograms();
  }

  /** Switches it off, because somebody has stopped the instance. Its disk keeps what ran. */
  powerOff(): void {
    this.#life += 1;
    this.crashes += 1;
    this.#unheardSinceMs ??= this.#world.clock.nowMs;
    this.halt();
  }

  /** Boots it again with the same disk. */
  powerOn(): void {
    this.#frozenUntilMs = 0;
    this.#due.length = 0;
    this.hungSinceMs = undefined;
    this.#isHalted = false;
    this.#begin(this.#left.splice(0));
  }

  /** Ends all faults of this machine. */
  calmDown(): void {
    this.#wire.restore();
    this.#thaw();
  }

  get #isFrozen(): boolean {
    return this.#frozenUntilMs > 0;
  }

  #begin(leftovers: readonly AttemptRef[]): void {
    const life = ++this.#life;
    const { clock, chance, note } = this.#world;
    const { rate, wallMs } = this.#drift;
    const agent = new Agent({
      pool: this.#launch.pool,
      workerVersion: "sim",
      process: `${this.#id}-${life}`,
      call: (call, signal) => this.#call(call, life, signal),
      facts: () => ({
        address: this.#address,
        datasets: [...this.#datasets],
        gpus: Array.from({ length: this.#gpus }, (_, index) => ({ index, utilizationPercent: this.#running.size > 0 ? 80 : 0 })),
        ...(this.#notice ? { notice: this.#notice } : {}),
      }),
      endsAtMs: () => (this.#endsAtMs === undefined ? undefined : this.#endsAtMs * rate),
      start: (order, _gpus, emit) => beginAttempt(this.#host(life), order, emit),
      clock: {
        monotonicMs: () => clock.nowMs * rate,
        wallMs: () => clock.nowMs + wallMs,
        after: (ms, then) => this.#after(ms / rate, () => life === this.#life && then()),
      },
      random: () => chance.next(),
      log: (_level, message, fields) => message === "worker stopping" && note(this.#id, message, JSON.stringify(fields)),
      leftovers,
    });
    void agent.run().then(() => {
      if (life === this.#life && !this.#isHalted) this.#world.shutDown(this.#id);
    });
  }

  #host(life: number): ProgramHost {
    const { programOf, readList, upload } = this.#world;
    return {
      programOf,
      readList,
      upload,
      leave: (ref, left) => this.#world.leave(ref, { ...left, instance: this.#id, process: `${this.#id}-${life}` }),
      wallMs: () => Math.floor(this.#world.clock.nowMs + this.#drift.wallMs),
      after: (ms, run) => this.#after(ms, () => life === this.#life && run()),
      began: (order) => this.#began(order),
      over: (ref) => this.#over(ref),
      failed: (attempt) => this.#world.emit({ kind: "failed", attempt, instance: this.#id }),
      fetched: (datasets) => {
        this.#datasets = [
          ...this.#datasets.filter((old) => !datasets.some((each) => each.team === old.team && each.dataset === old.dataset)),
          ...datasets,
        ];
      },
    };
  }

  #began({ team, job, attempt, gang }: RunOrder): void {
    const run = { team, job, attempt, instance: this.#id, rank: gang?.rank ?? 0 };
    this.#running.set(attemptName(run), run);
    this.#world.emit({ kind: "began", ...run });
  }

  #over(ref: AttemptRef): void {
    const run = this.#running.get(attemptName(ref));
    if (!run) return;
    this.#running.delete(attemptName(ref));
    this.#world.emit({ kind: "over", ...run });
  }

  #stopPrograms(): void {
    for (const run of [...this.#running.values()]) {
      this.#left.push({ team: run.team, job: run.job, attempt: run.attempt });
      this.#over(run);
    }
  }

  /** The worker's process dies. Its programs run on until the next process starts and stops them. */
  #crash(): void {
    this.crashes += 1;
    const life = ++this.#life;
    this.#after(restartMs, () => {
      if (life !== this.#life) return;
      this.#stopPrograms();
      this.#begin(this.#left.splice(0));
    });
  }

  /** Freezes the machine and its programs. */
  #freeze(forMs: number): void {
    const { clock, emit } = this.#world;
    for (const run of this.#running.values()) emit({ kind: "over", ...run });
    this.#unheardSinceMs ??= clock.nowMs;
    this.#frozenUntilMs = clock.nowMs + forMs;
    clock.after(forMs, () => this.#thaw());
  }

  /** Unfreezes the machine. Overdue timers run first, so that what was due while it was frozen happens before its programs make progress. */
  #thaw(): void {
    if (this.#frozenUntilMs === 0 || this.#isHalted) return;
    this.#frozenUntilMs = 0;
    for (const fire of this.#due.splice(0)) fire();
    const { clock, emit } = this.#world;
    clock.after(1, () => {
      for (const run of this.running) emit({ kind: "began", ...run });
    });
  }

  #after(ms: number, run: () => void): () => void {
    let isOff = false;
    const fire = (): void => {
      if (isOff || this.#isHalted) return;
      if (this.#isFrozen) this.#due.push(fire);
      else run();
    };
    const cancel = this.#world.clock.after(ms, fire);
    return () => {
      isOff = true;
      cancel();
    };
  }

  async #call(call: NodeCall, life: number, signal: AbortSignal | undefined): Promise<NodeResponse> {
    const sentAtMs = this.#world.clock.nowMs;
    const isGone = (): boolean => life !== this.#life || this.#isHalted;
    const heard = (): void => {
      this.#unheardSinceMs = this.#isFrozen || this.#isHalted || this.#wire.isCut ? this.#world.clock.nowMs : undefined;
    };
    const response = await this.#wire.call({ call, signal, isGone, heard, after: (ms, run) => this.#after(ms, run) });
    const thawed = await this.#whenThawed(response);
    if (thawed.kind === "orders") this.#world.emit({ kind: "answered", instance: this.#id, sentAtMs, unrecorded: thawed.unrecorded });
    return thawed;
  }

  #whenThawed<T>(response: T): T | Promise<T> {
    return this.#isFrozen ? new Promise((resolve) => this.#after(0, () => resolve(response))) : response;
  }
}
