import { createHash } from "node:crypto";
import type { Launch } from "../../model/launch.ts";
import { offerName } from "../../model/offer.ts";

/**
 * The token under which a launch is asked for: 55 ASCII characters of the 64 that EC2 takes. It hashes all that is asked for,
 * so that no other request can ever bear it; and the launch's id, which is new for every try, so that no token is used again
 * after its instances have ended, when EC2 would answer with the dead ones.
 */
export function clientToken(launch: Omit<Launch, "clientToken">): string {
  const { id, pool, market, count, whole, offers } = launch;
  const asked = JSON.stringify([id, pool, market, count, whole, offers.map(offerName)]);
  return `fleetwright-${createHash("sha256").update(asked).digest("base64url")}`;
}
