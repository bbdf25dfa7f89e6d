import type { Launch, LaunchedInstance, LaunchOutcome, OfferRefusal } from "../../model/launch.ts";
import { type Offer, type OfferRef, offerName } from "../../model/offer.ts";
import type { Ended, Fleet, FoundInstances, Seen } from "../../ports/fleet.ts";

export type MemoryInstance = LaunchedInstance & { readonly launch: Launch; readonly offer: Offer; over: boolean };

/**
 * An EC2 in memory: remembers client tokens, runs out of capacity, and loses answers when told to.
 * Among the offers it chooses like EC2 does: as it likes (`choose`; by default the cheapest).
 */
export class MemoryFleet implements Fleet {
  readonly instances = new Map<string, MemoryInstance>();
  /** Every launch that was asked for, repeats included. */
  readonly asked: Launch[] = [];
  /** Instances that no search shows (yet). */
  readonly invisible = new Set<string>();
  /** The instances of each call to end some. */
  readonly endsAsked: (readonly string[])[] = [];
  choose: (offers: readonly Offer[]) => Offer | undefined = (offers) => offers.toSorted((a, b) => a.usdPerHour - b.usdPerHour)[0];
  #made = 0;
  readonly #tokens = new Map<string, { readonly request: string; readonly outcome: LaunchOutcome }>();
  readonly #refused = new Map<string, string>();
  readonly #stock = new Map<string, number>();
  readonly #unknown: ("launched" | "not-launched" | "throttled")[] = [];
  readonly #trouble: Readonly<Record<"terminate" | "look" | "find", ("unknown" | "throttled")[]>> = { terminate: [], look: [], find: [] };
  #turnsAway = 0;

  /** Refuses an offer from now on, with an error code of CreateFleet's. */
  refuse(offer: OfferRef, code = "InsufficientInstanceCapacity"): void {
    this.#refused.set(offerName(offer), code);
  }

  /** Has the offer again, without bound or as many as this. What ends does not come back. */
  restock(offer: OfferRef, count = Number.POSITIVE_INFINITY): void {
    this.#refused.delete(offerName(offer));
    this.#stock.set(offerName(offer), count);
  }

  /** The next launch ends `unknown`, having launched or not. */
  unknownNext(how: "launched" | "not-launched"): void {
    this.#unknown.push(how);
  }

  /** From here on launches are answered, whatever was to become of the next ones. */
  answerAgain(): void {
    this.#unknown.length = 0;
  }

  /** The next launch is refused for its rate: nothing is launched, and its token is as new. */
  throttleNextLaunch(): void {
    this.#unknown.push("throttled");
  }

  /** The next calls of that kind are `unknown`, or refused for their rate. */
  deafNext(method: "terminate" | "look" | "find", times = 1, how: "unknown" | "throttled" = "unknown"): void {
    this.#trouble[method].push(...Array.from({ length: times }, () => how));
  }

  /** The next launches are not taken, for a permission that is missing, say. */
  turnAwayNext(times = 1): void {
    this.#turnsAway += times;
  }

  /** Nothing that was arranged for the next calls comes, and all that lives is to be seen. */
  calm(): void {
    this.#turnsAway = 0;
    this.#unknown.length = 0;
    for (const trouble of Object.values(this.#trouble)) trouble.length = 0;
    this.invisible.clear();
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
    if (trouble === "throttled") return { kind: "throttled", message: "RequestLimitExceeded: Request limit exceeded." };
    if (trouble === "not-launched") return { kind: "unknown", message: "TimeoutError: nobody answered" };
    if (this.#turnsAway > 0) {
      this.#turnsAway -= 1;
      const code = "UnauthorizedOperation";
      const refusals = launch.offers.map((offer): OfferRefusal => ({ ...refOf(offer), code, why: "fault" }));
      return { kind: "turned-away", code, message: "You are not authorized", refusals, isConflict: false };
    }
    const outcome = this.#once(launch);
    return trouble === "launched" ? { kind: "unknown", message: "TimeoutError: the answer was lost" } : outcome;
  }

  async find(launch: string): Promise<FoundInstances> {
    const trouble = this.#trouble.find.shift();
    if (trouble) return { kind: "unknown", message: trouble };
    const its = [...this.instances.values()].filter((each) => each.launch.id === launch && !this.invisible.has(each.id));
    return { kind: "read", instances: its.map(({ id, instanceType, zone, over }) => ({ id, instanceType, zone, over })) };
  }

  async terminate(instances: readonly string[]): Promise<ReadonlyMap<string, Ended>> {
    this.endsAsked.push(instances);
    if (this.#trouble.terminate.length > 0) return all(instances, this.#trouble.terminate.shift() ?? "unknown");
    // As EC2 does: one that it does not know fails the call, and the error says which.
    const unknown = instances.filter((id) => !this.instances.has(id));
    if (unknown.length > 0 && instances.length > 1)
      return new Map(instances.map((id) => [id, unknown.includes(id) ? "accepted" : "apart"]));
    for (const id of instances) this.end(id);
    return all(instances, "accepted");
  }

  async look(instances: readonly string[]): Promise<ReadonlyMap<string, Seen>> {
    if (this.#trouble.look.length > 0) return all(instances, this.#trouble.look.shift() ?? "unknown");
    return new Map(instances.map((id) => [id, (this.instances.get(id)?.over ?? true) ? "over" : "live"]));
  }

  #once(launch: Launch): LaunchOutcome {
    const request = JSON.stringify([launch.pool, launch.market, launch.count, launch.whole, launch.offers.map(offerName)]);
    const before = this.#tokens.get(launch.clientToken);
    if (before === undefined) {
      const outcome = this.#create(launch);
      this.#tokens.set(launch.clientToken, { request, outcome });
      return outcome;
    }
    if (before.request === request) return before.outcome;
    const code = "IdempotentParameterMismatch";
    const refusals = launch.offers.map((offer): OfferRefusal => ({ ...refOf(offer), code, why: "fault" }));
    return { kind: "turned-away", code, message: "the token came with other parameters", refusals, isConflict: true };
  }

  #create(launch: Launch): LaunchOutcome {
    const given: Offer[] = [];
    while (given.length < launch.count) {
      const least = launch.whole ? launch.count - given.length : 1;
      const offer = (launch.whole ? given[0] : undefined) ?? this.choose(launch.offers.filter((one) => this.#left(one) >= least));
      if (offer === undefined) break;
      this.#stock.set(offerName(offer), this.#left(offer) - 1);
      given.push(offer);
    }
    const short = given.length < launch.count ? this.#shortOf(launch) : [];
    const refusals = short.filter(({ code }) => code !== throttling);
    if (given.length === 0 && short.length > 0 && refusals.length === 0)
      return { kind: "throttled", message: `${throttling}: Request limit exceeded.`, final: true };
    if (given.length === 0) {
      const [first] = refusals.toSorted((a, b) => ranks[a.why] - ranks[b.why]);
      return { kind: "refused", code: first?.code ?? "NoSubnet", message: refusals.map(({ code }) => code).join("; "), refusals };
    }
    const instances = given.map((offer) => {
      const id = `i-${(++this.#made).toString(16).padStart(17, "0")}`;
      const instance = { id, instanceType: offer.instanceType, zone: offer.zone };
      this.instances.set(id, { ...instance, launch, offer, over: false });
      return instance;
    });
    return { kind: "launched", instances, refusals };
  }

  #left(offer: Offer): number {
    return this.#refused.has(offerName(offer)) ? 0 : (this.#stock.get(offerName(offer)) ?? Number.POSITIVE_INFINITY);
  }

  #shortOf(launch: Launch): OfferRefusal[] {
    return launch.offers.map((offer) => {
      const code = this.#refused.get(offerName(offer)) ?? (launch.whole ? "InsufficientInstanceCapacity" : "UnfulfillableCapacity");
      return { ...refOf(offer), code, why: whyOf(code) };
    });
  }
}

/** What a fleet says of an offer when EC2 throttled the fleet itself. */
const throttling = "RequestLimitExceeded";
const refOf = ({ instanceType, zone, market }: OfferRef): OfferRef => ({ instanceType, zone, market });
const ranks = { capacity: 0, limit: 1, fault: 2 } as const;
const whyOf = (code: string): OfferRefusal["why"] => {
  if (code.includes("Capacity")) return "capacity";
  return code.includes("Limit") || code.includes("Count") ? "limit" : "fault";
};

const all = <T>(ids: readonly string[], one: T): ReadonlyMap<string, T> => new Map(ids.map((id) => [id, one]));
