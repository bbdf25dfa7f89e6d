import { PricingClient } from "@aws-sdk/client-pricing";
import { type ClientSettings, common } from "./settings.ts";

/** The price list is served from a few regions only, for all of them. */
export const pricingClient = (settings: ClientSettings = {}): PricingClient =>
  new PricingClient({ ...common(settings, { requestMs: 10_000, maxAttempts: 3 }), region: "us-east-1" });
