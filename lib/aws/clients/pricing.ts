import { PricingClient } from "@aws-sdk/client-pricing";
import { type ClientSettings, common } from "./settings.ts";

/** Creates a client of us-east-1, because only a few regions serve the price list. It contains the prices of all regions. */
export const pricingClient = (settings: ClientSettings = {}): PricingClient =>
  new PricingClient({ ...common(settings, { requestMs: 10_000, maxAttempts: 3 }), region: "us-east-1" });
