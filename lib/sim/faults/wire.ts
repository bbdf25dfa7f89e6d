import type { NodeCall, NodeResponse } from "../../../events/node-call.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export type WireWorld = {
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly chance: Chance;
  /** Calls the node function. Rejects if there is no response. */
  readonly callNode: (instance: string, call: NodeCall) => Promise<NodeResponse>;
};

/** What a call meets on its machine. */
export type CallOf = {
  readonly call: NodeCall;
  readonly signal: AbortSignal | undefined;
  /** Reports whether the process that made the call is gone. */
  readonly isGone: () => boolean;
  /** Called when the call has arrived and was handled, whether its response arrives or not. */
  readonly heard: () => void;
  /** Runs something after some time of the machine. */
  readonly after: (ms: number, run: () => void) => void;
};

const callTimeoutMs = 10_000;
/** A promise of its own for each call, because a shared one would keep every call in memory. */
const never = (): Promise<never> => new Promise(() => {});

/** A machine's connection to the node function. It may be cut, and loses calls and responses. */
export class Wire {
  readonly #world: WireWorld;
  readonly #id: string;
  #cutUntilMs = 0;

  constructor(world: WireWorld, id: string) {
    this.#world = world;
    this.#id = id;
  }

  /** Cuts it for some time; until it is restored, if `forMs` is infinite. */
  cut(forMs: number): void {
    this.#cutUntilMs = Math.max(this.#cutUntilMs, this.#world.clock.nowMs + forMs);
  }

  restore(): void {
    this.#cutUntilMs = 0;
  }

  /** Calls the node function. Never settles if the process is gone. */
  async call({ call, signal, isGone, heard, after }: CallOf): Promise<NodeResponse> {
    const { faults, callNode, chance } = this.#world;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = (): void => reject(new FleetError("node-call", "the call was aborted", { retry: true }));
    signal?.addEventListener("abort", abort, { once: true });
    const travel = (): Promise<void> => new Promise((resolve) => after(chance.between(2, 30), resolve));
    const lost = (): Promise<never> =>
      new Promise((_resolve, fail) => after(callTimeoutMs, () => fail(new FleetError("node-call", "no response", { retry: true }))));
    const exchange = async (): Promise<NodeResponse> => {
      await travel();
      if (isGone()) return never();
      if (this.isCut || faults.strikes("worker.lost-call", this.#id)) return lost();
      const response = await callNode(this.#id, call);
      heard();
      if (isGone()) return never();
      return this.isCut || faults.strikes("worker.lost-answer", this.#id) ? lost() : response;
    };
    try {
      return await Promise.race([exchange(), aborted]);
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  get isCut(): boolean {
    return this.#cutUntilMs > this.#world.clock.nowMs;
  }
}
