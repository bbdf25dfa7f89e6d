import type { Problem, Supply } from "../problem/problem.ts";

/** What is left of the limits and of offers that there are only so many of. */
export class Ledger {
  readonly #limits: Map<string, number>;
  readonly #offers: Map<string, number>;
  readonly #dimensions: readonly string[];

  constructor({ limits = [], offers, dimensions }: Problem) {
    this.#limits = new Map(limits.map(({ name, most }) => [name, most]));
    this.#offers = new Map(offers.flatMap(({ name, most }) => (most === undefined ? [] : [[name, most]])));
    this.#dimensions = dimensions;
  }

  /** Offers of which so many nodes can still be bought, with how many there are left of them. */
  within(offers: readonly Supply[], nodes: number): readonly Supply[] {
    if (this.#limits.size === 0 && this.#offers.size === 0) return offers;
    return offers
      .filter((offer) => this.#isWithin(offer, nodes))
      .map((offer) => (offer.most === undefined ? offer : { ...offer, most: this.#offers.get(offer.name) }));
  }

  /** Whether they may be bought; takes them off what is left. */
  take(offer: Supply, nodes: number): boolean {
    if (!this.#isWithin(offer, nodes)) return false;
    for (const [limit, uses] of Object.entries(offer.uses ?? {})) {
      const left = this.#limits.get(limit);
      if (left !== undefined) this.#limits.set(limit, left - nodes * uses);
    }
    const left = this.#offers.get(offer.name);
    if (left !== undefined) this.#offers.set(offer.name, left - nodes);
    return true;
  }

  rest(): { limits: ReadonlyMap<string, number>; offers: ReadonlyMap<string, number>; dimensions: readonly string[] } {
    return { limits: this.#limits, offers: this.#offers, dimensions: this.#dimensions };
  }

  #isWithin({ name, uses = {} }: Supply, nodes: number): boolean {
    if ((this.#offers.get(name) ?? Number.POSITIVE_INFINITY) < nodes) return false;
    return Object.entries(uses).every(([limit, each]) => nodes * each <= (this.#limits.get(limit) ?? Number.POSITIVE_INFINITY) + 1e-9);
  }
}
