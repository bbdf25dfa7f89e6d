import type { Launch, LaunchedInstance, LaunchOutcome, OfferRefusal } from "../../model/launch.ts";
import { type Offer, type OfferRef, offerName } from "../../model/offer.ts";
import type { Fleet, FoundInstances, InstanceStatus, TerminateOutcome } from "../../ports/fleet.ts";

export type MemoryInstance = LaunchedInstance & { readonly launch: Launch; readonly offer: Offer; over: boolean };

/**
 * EC2 in memory. It remembers client tokens, and runs out of capacity or loses responses on request.
 * Like EC2, it is free to choose any of the offers (`choose`, by default the cheapest).
 */
export class MemoryFleet implements Fleet {
  readonly instances = new Map<string, MemoryInstance>();
  /** Every launch that was requested, including repetitions. */
  readonly requested: Launch[] = [];
  /** Instances that no search returns (yet). */
  readonly invisible = new Set<string>();
  /** Instances that EC2 refuses to terminate. */
  readonly protected = new Set<string>();
  /** Instances that fail EC2's status checks. */
  readonly failing = new Set<string>();
  /** The instances of each call to `terminate`. */
  readonly endsRequested: (readonly string[])[] = [];
  /** What EC2 does with an instance that it was asked to terminate: by default it ends at once. */
  shutDown: (id: string) => void = (id) => this.end(id);
  /** Instances that shut down, in which programs may still run. */
  readonly ending = new Set<string>();
  /** Instances that somebody has stopped, and that may be started again. */
  readonly stopped = new Set<string>();
  choose: (offers: readonly Offer[]) => Offer | undefined = (offers) => offers.toSorted((a, b) => a.usdPerHour - b.usdPerHour)[0];
  #made = 0;
  readonly #tokens = new Map<string, { readonly request: string; readonly outcome: LaunchOutcome }>();
  readonly #refused = new Map<string, string>();
  readonly #stock = new Map<string, number>();
  readonly #unknown: ("launched" | "not-launched" | "throttled")[] = [];
  readonly #trouble: Readonly<Record<"terminate" | "look" | "find", ("unknown" | "throttled")[]>> = { terminate: [], look: [], find: [] };
  #turnsAway = 0;

  /** Refuses an offer from now on, with an error code of CreateFleet. */
  refuse(offer: OfferRef, code = "InsufficientInstanceCapacity"): void {
    this.#refused.set(offerName(offer), code);
  }

  /** Makes an offer available again, with `count` instances or without a limit. Instances that end do not add to it. */
  restock(offer: OfferRef, count = Number.POSITIVE_INFINITY): void {
    this.#refused.delete(offerName(offer));
    this.#stock.set(offerName(offer), count);
  }

  /** Makes the next launch return `unknown`, whether it launches or not. */
  unknownNext(how: "launched" | "not-launched"): void {
    this.#unknown.push(how);
  }

  /** Makes launches return their outcomes again, and cancels the troubles arranged for the next ones. */
  respondAgain(): void {
    this.#unknown.length = 0;
  }

  /** Throttles the next launch: it launches nothing, and its token counts as unused. */
  throttleNextLaunch(): void {
    this.#unknown.push("throttled");
  }

  /** Makes the next calls of that kind return `unknown` or `throttled`. */
  deafNext(method: "terminate" | "look" | "find", times = 1, how: "unknown" | "throttled" = "unknown"): void {
    this.#trouble[method].push(...Array.from({ length: times }, () => how));
  }

  /** Turns the next launches away, as if a permission were missing. */
  turnAwayNext(times = 1): void {
    this.#turnsAway += times;
  }

  /** Cancels everything that was arranged for the next calls, and makes all instances visible. */
  calm(): void {
    this.#turnsAway = 0;
    this.#unknown.length = 0;
    for (const trouble of Object.values(this.#trouble)) trouble.length = 0;
    this.invisible.clear();
  }

  /** Ends an instance, as if it ended by itself or someone else terminated it. */
  end(id: string): void {
    const instance = this.instances.get(id);
    if (instance) instance.over = true;
    this.ending.delete(id);
  }

  /** Makes EC2 forget an instance. */
  forget(id: string): void {
    this.instances.delete(id);
  }

  get live(): readonly MemoryInstance[] {
    return [...this.instances.values()].filter(({ over }) => !over);
  }

  async launch(launch: Launch): Promise<LaunchOutcome> {
    this.requested.push(launch);
    const trouble = this.#unknown.shift();
    if (trouble === "throttled") return { kind: "throttled", message: "RequestLimitExceeded: Request limit exceeded." };
    if (trouble === "not-launched") return { kind: "unknown", message: "TimeoutError: there was no response" };
    if (this.#turnsAway > 0) {
      this.#turnsAway -= 1;
      const code = "UnauthorizedOperation";
      const refusals = launch.offers.map((offer): OfferRefusal => ({ ...refOf(offer), code, why: "fault" }));
      return { kind: "turned-away", code, message: "You are not authorized", refusals, isConflict: false };
    }
    const outcome = this.#once(launch);
    return trouble === "launched" ? { kind: "unknown", message: "TimeoutError: the response was lost" } : outcome;
  }

  async find(launch: string): Promise<FoundInstances> {
    const trouble = this.#trouble.find.shift();
    if (trouble) return { kind: "unknown", message: trouble };
    const its = [...this.instances.values()].filter((each) => each.launch.id === launch && !this.invisible.has(each.id));
    return { kind: "read", instances: its.map(({ id, instanceType, zone, over }) => ({ id, instanceType, zone, over })) };
  }

  async terminate(instances: readonly string[]): Promise<ReadonlyMap<string, TerminateOutcome>> {
    this.endsRequested.push(instances);
    if (this.#trouble.terminate.length > 0) return all(instances, this.#trouble.terminate.shift() ?? "unknown");
    // Like EC2: an unknown instance fails the whole call, and the error names it.
    const unknown = instances.filter((id) => !this.instances.has(id));
    if (unknown.length > 0 && instances.length > 1)
      return new Map(instances.map((id) => [id, unknown.includes(id) ? "accepted" : "apart"]));
    // Like EC2: a protected instance that lives fails the call and keeps those of its zone alive, but not those of other zones.
    const isKept = (id: string): boolean => this.protected.has(id) && this.instances.get(id)?.over === false;
    const kept = new Set(instances.filter(isKept).map((id) => this.instances.get(id)?.zone));
    for (const id of instances) if (kept.size === 0 || !kept.has(this.instances.get(id)?.zone)) this.shutDown(id);
    if (kept.size === 0) return all(instances, "accepted");
    return all(instances, instances.length > 1 ? "apart" : { refused: "OperationNotPermitted: the instance may not be terminated" });
  }

  async look(instances: readonly string[]): Promise<ReadonlyMap<string, InstanceStatus>> {
    if (this.#trouble.look.length > 0) return all(instances, this.#trouble.look.shift() ?? "unknown");
    return new Map(instances.map((id) => [id, this.#statusOf(id)]));
  }

  async impaired(instances: readonly string[]): Promise<ReadonlySet<string> | undefined> {
    return new Set(instances.filter((id) => this.failing.has(id)));
  }

  #statusOf(id: string): InstanceStatus {
    const instance = this.instances.get(id);
    if (!instance) return "absent";
    if (instance.over) return "terminated";
    if (this.stopped.has(id)) return "stopped";
    return this.ending.has(id) ? "ending" : "live";
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
    return { kind: "turned-away", code, message: "the token was used with other parameters", refusals, isConflict: true };
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

/** The code that a fleet reports for an offer if EC2 throttled the fleet itself. */
const throttling = "RequestLimitExceeded";
const refOf = ({ instanceType, zone, market }: OfferRef): OfferRef => ({ instanceType, zone, market });
const ranks = { capacity: 0, limit: 1, fault: 2 } as const;
const whyOf = (code: string): OfferRefusal["why"] => {
  if (code.includes("Capacity")) return "capacity";
  return code.includes("Limit") || code.includes("Count") ? "limit" : "fault";
};

const all = <T>(ids: readonly string[], one: T): ReadonlyMap<string, T> => new Map(ids.map((id) => [id, one]));
