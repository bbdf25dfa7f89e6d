import type { Launch, LaunchedInstance, LaunchOutcome } from "../../model/launch.ts";
import { type Offer, type OfferRef, offerName } from "../../model/offer.ts";
import type { Fleet } from "../../ports/fleet.ts";

export type MemoryInstance = LaunchedInstance & { readonly launch: Launch; readonly offer: Offer; over: boolean };

/**
 * An EC2 in memory: remembers client tokens, runs out of capacity, and loses answers when told to.
 * Among the offers it chooses like EC2 does: as it likes (`choose`; by default the cheapest).
 */
export class MemoryFleet implements Fleet {
  readonly instances = new Map<string, MemoryInstance>();
  /** Every launch that was asked for, repeats included. */
  readonly asked: Launch[] = [];
  choose: (offers: readonly Offer[]) => Offer | undefined = (offers) => offers.toSorted((a, b) => a.usdPerHour - b.usdPerHour)[0];
  #made = 0;
  readonly #tokens = new Map<string, { readonly request: string; readonly outcome: LaunchOutcome }>();
  readonly #refused = new Map<string, string>();
  readonly #unknown: ("launched" | "not-launched")[] = [];
  readonly #deaf = { terminate: 0, look: 0 };

  /** Refuses an offer from now on, with an error code of CreateFleet's. */
  refuse(offer: OfferRef, code = "InsufficientInstanceCapacity"): void {
    this.#refused.set(offerName(offer), code);
  }

  /** Has the offer again. */
  restock(offer: OfferRef): void {
    this.#refused.delete(offerName(offer));
  }

  /** The next launch ends `unknown`, having launched or not. */
  unknownNext(how: "launched" | "not-launched"): void {
    this.#unknown.push(how);
  }

  /** The next calls of that kind are `unknown`. */
  deafNext(method: "terminate" | "look", times = 1): void {
    this.#deaf[method] += times;
  }

  /** An instance ends by itself, or by somebody else's hand. */
  end(id: string): void {
    const instance = this.instances.get(id);
    if (instance) instance.over = true;
  }

  /** An instance that EC2 does not know any more. */
  forget(id: string): void {
    this.instances.delete(id);
  }

  get live(): readonly MemoryInstance[] {
    return [...this.instances.values()].filter(({ over }) => !over);
  }

  async launch(launch: Launch): Promise<LaunchOutcome> {
    this.asked.push(launch);
    const trouble = this.#unknown.shift();
    if (trouble === "not-launched") return { kind: "unknown", message: "RequestLimitExceeded: Request limit exceeded." };
    const outcome = this.#once(launch);
    return trouble === "launched" ? { kind: "unknown", message: "TimeoutError: the answer was lost" } : outcome;
  }

  async terminate(instance: string): Promise<"accepted" | "unknown"> {
    if (this.#deaf.terminate > 0) {
      this.#deaf.terminate--;
      return "unknown";
    }
    this.end(instance);
    return "accepted";
  }

  async look(instance: string): Promise<"live" | "over" | "unknown"> {
    if (this.#deaf.look > 0) {
      this.#deaf.look--;
      return "unknown";
    }
    return (this.instances.get(instance)?.over ?? true) ? "over" : "live";
  }

  #once(launch: Launch): LaunchOutcome {
    const request = JSON.stringify([launch.pool, launch.market, launch.offers.map(offerName)]);
    const before = this.#tokens.get(launch.clientToken);
    if (before === undefined) {
      const outcome = this.#create(launch);
      this.#tokens.set(launch.clientToken, { request, outcome });
      return outcome;
    }
    if (before.request === request) return before.outcome;
    if (before.outcome.kind === "launched") return before.outcome;
    return { kind: "refused", code: "IdempotentParameterMismatch", message: "the token came with other parameters", capacity: false };
  }

  #create(launch: Launch): LaunchOutcome {
    const offer = this.choose(launch.offers.filter((one) => !this.#refused.has(offerName(one))));
    if (offer === undefined) {
      const codes = launch.offers.map((one) => this.#refused.get(offerName(one)) ?? "UnfulfillableCapacity");
      const capacity = codes.find((code) => !code.includes("Limit") && !code.includes("Count"));
      return { kind: "refused", code: capacity ?? codes[0] ?? "NoSubnet", message: codes.join("; "), capacity: capacity !== undefined };
    }
    const instances = Array.from({ length: launch.count }, () => {
      const id = `i-${(++this.#made).toString(16).padStart(17, "0")}`;
      const given = { id, instanceType: offer.instanceType, zone: offer.zone };
      this.instances.set(id, { ...given, launch, offer, over: false });
      return given;
    });
    return { kind: "launched", instances };
  }
}
