import { FleetError } from "../../model/fleet-error.ts";
import type { Catalogue } from "../../model/offer.ts";
import type { Pool } from "../../model/pool.ts";
import type { PriceSource } from "../../ports/fleet.ts";

/** Offers the same catalogue to every pool, limited to the markets that the pool allows. */
export class MemoryMarket implements PriceSource {
  sold: Catalogue;
  /** If true, EC2 cannot be asked. */
  closed = false;
  readonly requests: string[] = [];

  constructor(sold: Catalogue) {
    this.sold = sold;
  }

  async catalogue(pool: Pool, nowMs: number): Promise<Catalogue> {
    this.requests.push(pool.name);
    if (this.closed) throw new FleetError("market", "EC2 could not be asked", { retry: true });
    return { ...this.sold, offers: this.sold.offers.filter(({ market }) => pool.markets.includes(market)), refreshedAtMs: nowMs };
  }
}
