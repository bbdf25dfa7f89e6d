import { Fault } from "../../model/fault.ts";

type Interruption =
  | { readonly at: number; readonly kind: "fail-before" | "lose-answer" }
  | { readonly at: number; readonly run: () => unknown };

/** What can befall a fake's calls. `n` counts a method's calls from now on: 1 is the next one. */
export class Interruptions<Method extends string> {
  /** How often each method was called. */
  readonly calls: Partial<Record<Method, number>> = {};
  readonly #pending = new Map<Method, Interruption[]>();

  /** The n-th call throws a Fault that may be retried, and nothing was done. */
  failBefore(method: Method, n = 1): void {
    this.#add(method, { at: this.#count(method) + n, kind: "fail-before" });
  }

  /** The n-th call does its work and then throws a Fault that may be retried. */
  loseAnswerOf(method: Method, n = 1): void {
    this.#add(method, { at: this.#count(method) + n, kind: "lose-answer" });
  }

  /** Something else happens just before the n-th call does its work. */
  before(method: Method, run: () => unknown, n = 1): void {
    this.#add(method, { at: this.#count(method) + n, run });
  }

  /** Runs a call as if over a wire: never at once, and with whatever was arranged for it. */
  async call<T>(method: Method, work: () => T): Promise<T> {
    const number = this.#count(method) + 1;
    this.calls[method] = number;
    const due = (this.#pending.get(method) ?? []).filter((one) => one.at === number);
    await Promise.resolve();
    for (const one of due) if ("run" in one) await one.run();
    if (due.some((one) => "kind" in one && one.kind === "fail-before")) {
      throw new Fault("interrupted", `${method} was not carried out`, { retry: true });
    }
    const answer = work();
    if (due.some((one) => "kind" in one && one.kind === "lose-answer")) {
      throw new Fault("interrupted", `the answer of ${method} was lost`, { retry: true });
    }
    return answer;
  }

  #count(method: Method): number {
    return this.calls[method] ?? 0;
  }

  #add(method: Method, one: Interruption): void {
    this.#pending.set(method, [...(this.#pending.get(method) ?? []), one]);
  }
}
