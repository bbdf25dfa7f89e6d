import { FleetError } from "../../model/fleet-error.ts";

type Interruption =
  | { readonly at: number; readonly kind: "fail-before" | "lose-response" }
  | { readonly at: number; readonly run: () => unknown };

/** Failures that a test arranges for the calls of a fake. `n` counts the calls of a method from now on: 1 is the next one. */
export class Interruptions<Method extends string> {
  /** The number of calls of each method. */
  readonly calls: Partial<Record<Method, number>> = {};
  readonly #pending = new Map<Method, Interruption[]>();

  /** Makes the n-th call throw a FleetError that may be retried, without doing its work. */
  failBefore(method: Method, n = 1): void {
    this.#add(method, { at: this.#count(method) + n, kind: "fail-before" });
  }

  /** Makes the n-th call do its work and then throw a FleetError that may be retried. */
  loseResponseOf(method: Method, n = 1): void {
    this.#add(method, { at: this.#count(method) + n, kind: "lose-response" });
  }

  /** Runs something just before the n-th call does its work. */
  before(method: Method, run: () => unknown, n = 1): void {
    this.#add(method, { at: this.#count(method) + n, run });
  }

  /** Runs a call as if over a network: never synchronously, and with the failures arranged for it. */
  async call<T>(method: Method, work: () => T): Promise<T> {
    const number = this.#count(method) + 1;
    this.calls[method] = number;
    const due = (this.#pending.get(method) ?? []).filter((one) => one.at === number);
    await Promise.resolve();
    for (const one of due) if ("run" in one) await one.run();
    if (due.some((one) => "kind" in one && one.kind === "fail-before")) {
      throw new FleetError("interrupted", `${method} was not carried out`, { retry: true });
    }
    const result = work();
    if (due.some((one) => "kind" in one && one.kind === "lose-response")) {
      throw new FleetError("interrupted", `the response of ${method} was lost`, { retry: true });
    }
    return result;
  }

  #count(method: Method): number {
    return this.calls[method] ?? 0;
  }

  #add(method: Method, one: Interruption): void {
    this.#pending.set(method, [...(this.#pending.get(method) ?? []), one]);
  }
}
