import { createHash } from "node:crypto";
import type { Launch } from "../../model/launch.ts";
import { offerName } from "../../model/offer.ts";

/**
 * Returns the token of a launch request: 55 ASCII characters of the 64 that EC2 accepts. It hashes everything that is requested,
 * so that no other request can have the same token. It also hashes the launch's id, which is new for every try, because for a token
 * whose instances have ended EC2 would return those dead instances.
 */
export function clientToken(launch: Omit<Launch, "clientToken">): string {
  const { id, pool, market, count, whole, offers } = launch;
  const request = JSON.stringify([id, pool, market, count, whole, offers.map(offerName)]);
  return `fleetwright-${createHash("sha256").update(request).digest("base64url")}`;
}
