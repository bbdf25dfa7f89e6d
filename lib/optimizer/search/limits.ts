import type { Problem, Supply } from "../problem/problem.ts";

/** The rest of the limits, and of the offers with a limited number of instances. */
export class LimitLedger {
  readonly #limits: Map<string, number>;
  readonly #offers: Map<string, number>;
  readonly #dimensions: readonly string[];

  constructor({ limits = [], offers, dimensions }: Problem) {
    this.#limits = new Map(limits.map(({ name, most }) => [name, most]));
    this.#offers = new Map(offers.flatMap(({ name, most }) => (most === undefined ? [] : [[name, most]])));
    this.#dimensions = dimensions;
  }

  /** Returns the offers of which this many nodes can still be bought, with the number that is left of each. */
  within(offers: readonly Supply[], nodes: number): readonly Supply[] {
    if (this.#limits.size === 0 && this.#offers.size === 0) return offers;
    return offers
      .filter((offer) => this.#isWithin(offer, nodes))
      .map((offer) => (offer.most === undefined ? offer : { ...offer, most: this.#offers.get(offer.name) }));
  }

  /** Subtracts these nodes from what is left. Returns false, and subtracts nothing, if they may not be bought. */
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
