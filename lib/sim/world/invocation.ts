import { FleetError } from "../../model/fleet-error.ts";
import type { Faults } from "../faults/faults.ts";
import type { ArmedKill, KillPlan } from "../faults/kill-plan.ts";
import type { Outages } from "../faults/outages.ts";
import { type CallFaults, callFaults, type SimPorts } from "../faults/ports.ts";
import type { CpuMeter } from "../load/cpu-meter.ts";
import type { TableLoad } from "../load/table-load.ts";
import { writesOf } from "../load/writes.ts";
import { forever, type SimClock } from "./clock.ts";

/** How a run of a handler ended. `died`: it was killed or timed out, and its caller gets no response. */
export type HandlerEnd<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "threw"; readonly error: unknown }
  | { readonly kind: "died" };

export type InvocationWorld = {
  readonly clock: SimClock;
  readonly faults: Faults;
  readonly outages: Outages;
  readonly kills: KillPlan;
  /** What the table has to take; undefined if that is not simulated. */
  readonly load?: TableLoad | undefined;
  readonly note: (...parts: readonly unknown[]) => void;
  readonly meter?: CpuMeter | undefined;
};

/**
 * One run of a handler. It calls the world's ports as if over a network: calls take time, fail, and lose their responses. A run that has
 * died makes no more calls, but those that it had made are still carried out.
 */
export class Invocation {
  readonly #world: InvocationWorld;
  readonly #name: string;
  readonly #deadlineMs: number;
  readonly #skewMs: number;
  /** Calls of a swift run take no time, so it does not overlap with other runs. Most runs are swift, because the others are expensive. */
  readonly #isSwift: boolean;
  #end: ((ended: { kind: "died" }) => void) | undefined;
  #isDead = false;
  /** Ends the measurement of the processor time since the last response; undefined if nothing is measured. */
  #computed: (() => void) | undefined;

  constructor(world: InvocationWorld, of: { readonly name: string; readonly timeoutMs: number; readonly isSwift: boolean }) {
    const { clock, faults } = world;
    this.#world = world;
    this.#name = of.name;
    this.#isSwift = of.isSwift;
    this.#deadlineMs = clock.nowMs + of.timeoutMs;
    this.#skewMs = faults.strikes("lambda.skew", of.name) ? faults.chance("lambda.skew").between(-2_000, 2_000) : 0;
  }

  now = (): number => this.#world.clock.nowMs + this.#skewMs;
  msLeft = (): number => this.#deadlineMs - this.#world.clock.nowMs;

  random = (): number => this.#world.faults.chance("lambda.skew").next();
  pause = (ms: number): Promise<void> => new Promise((resolve) => void this.#world.clock.after(ms, () => this.#isDead || resolve()));

  /** Runs the work until it ends or the handler dies. */
  run<T>(work: () => Promise<T>): Promise<HandlerEnd<T>> {
    const { promise, resolve } = Promise.withResolvers<HandlerEnd<T>>();
    this.#end = resolve;
    const cancel = this.#world.clock.at(this.#deadlineMs, () => this.#die(`${this.#name} timed out`));
    const ended = (how: HandlerEnd<T>): void => {
      cancel();
      resolve(how);
    };
    this.#resumed();
    work().then(
      (value) => ended({ kind: "done", value }),
      (error: unknown) => ended({ kind: "threw", error }),
    );
    return promise;
  }

  /** Returns the ports through which this run makes its calls. */
  ports(real: SimPorts): SimPorts {
    const names = Object.keys(callFaults) as (keyof SimPorts)[];
    return Object.assign({ ...real }, ...names.map((name) => ({ [name]: this.#port(name, real[name]) })));
  }

  #port<T extends object>(name: keyof SimPorts, real: T): T {
    return new Proxy(real, {
      get: (target, method) => {
        const own: unknown = Reflect.get(target, method);
        if (typeof own !== "function") return own;
        const point = `${name}.${String(method)}`;
        return (...args: unknown[]): Promise<unknown> =>
          this.#call(point, async (): Promise<unknown> => {
            this.#meetLoad(name, point, args);
            return this.#carryOut(point, callFaults[name], async () => Reflect.apply(own, target, args));
          });
      },
    });
  }

  /** Measures only decisions, because a measurement takes longer than most calls. */
  #resumed(): void {
    if (this.#name === "place") this.#computed = this.#world.meter?.begin();
  }

  #call(point: string, work: () => Promise<unknown>): Promise<unknown> {
    this.#computed?.();
    if (this.#isDead) return forever();
    const { faults, clock, kills } = this.#world;
    const kill = faults.isCalm ? undefined : kills.takeAt(point);
    if (kill?.when === "before") return this.#kill(point, kill);
    const isSlow = faults.strikes("lambda.slow", point);
    const ms = isSlow
      ? faults.chance("lambda.slow").between(1_000, 24_000)
      : this.#isSwift
        ? 0
        : faults.chance("lambda.skew").between(2, 120);
    const carried = ms === 0 ? work() : new Promise((resolve, reject) => void clock.after(ms, () => void work().then(resolve, reject)));
    return kill === undefined
      ? carried.then(this.#delivered, (error: unknown) => {
          if (this.#isDead) return forever();
          throw error;
        })
      : carried.then(
          () => this.#kill(point, kill),
          () => this.#kill(point, kill),
        );
  }

  /** A dead run gets no responses. */
  #delivered = (response: unknown): unknown => {
    if (this.#isDead) return forever();
    this.#resumed();
    return response;
  };

  /** Throws if other writes of the table are in the way of this one. */
  #meetLoad(name: keyof SimPorts, point: string, args: readonly unknown[]): void {
    const { faults, load } = this.#world;
    if (!load || faults.isCalm) return;
    const { conflict, hot } = load.count(writesOf(name, point.slice(name.length + 1), args), this);
    const isRefused = faults.strikes("table.conflict", point, conflict) || faults.strikes("table.hot", point, hot);
    if (isRefused) throw new FleetError("unavailable", `other writes of the table were in the way of ${point}`, { retry: true });
  }

  async #carryOut(point: string, trouble: CallFaults | undefined, work: () => Promise<unknown>): Promise<unknown> {
    if (!trouble) return work();
    const { faults, outages } = this.#world;
    const isOut = trouble.fails === "table.throttle" && outages.isOut("table");
    if (isOut || faults.strikes(trouble.fails, point)) throw new FleetError("unavailable", `${point} was not carried out`, { retry: true });
    const result = await work();
    if (trouble.loses && faults.strikes(trouble.loses, point))
      throw new FleetError("unavailable", `the response of ${point} was lost`, { retry: true });
    return result;
  }

  #kill(point: string, kill: ArmedKill): Promise<never> {
    kill.met();
    this.#world.faults.count("lambda.kill", `${this.#name} ${kill.when} ${point}`);
    this.#die(`${this.#name} is killed ${kill.when} ${point}`);
    return forever();
  }

  #die(how: string): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#world.note(how);
    this.#end?.({ kind: "died" });
  }
}
