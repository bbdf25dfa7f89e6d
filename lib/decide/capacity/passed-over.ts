import type { QueueEntry } from "../../model/job.ts";
import type { Catalogue } from "../../model/offer.ts";
import { allows, holds } from "../../model/wants.ts";
import type { Outlook } from "./outlook.ts";

/** How many are named of what was passed over. */
const mostNamed = 3;

/** Which cheaper offers a job's launch does not ask for because they rest, by type and market; undefined when there are none. */
export function passedOver(entry: QueueEntry, usdPerHour: number, of: { catalogue: Catalogue; seen: Outlook }): string | undefined {
  const types = new Map(of.catalogue.types.map((type) => [type.name, type]));
  const resting = of.catalogue.offers.filter((offer) => {
    const type = types.get(offer.instanceType);
    if (!type || offer.usdPerHour >= usdPerHour || !allows(entry, offer, type) || !holds(type, type.resources, entry)) return false;
    return of.seen.standing({ offer, type, count: entry.nodes }) === "rests";
  });
  const zones = Map.groupBy(resting, ({ instanceType, market }) => `${instanceType} ${market}`);
  const named = [...zones]
    .map(
      ([name, offers]) =>
        `${name} in ${offers
          .map(({ zone }) => zone)
          .sort()
          .join(", ")}`,
    )
    .sort();
  if (named.length === 0) return undefined;
  const more = named.length > mostNamed ? ` and ${named.length - mostNamed} more` : "";
  return `cheaper, but refused lately: ${named.slice(0, mostNamed).join("; ")}${more}`;
}
