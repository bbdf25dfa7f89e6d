import type { QueueEntry } from "../../model/job.ts";
import type { Catalogue } from "../../model/offer.ts";
import type { Refusal } from "../../model/refusal.ts";
import { offersFor } from "../../model/wants.ts";
import type { CapacityView } from "./capacity-view.ts";

/** Returns the refusals against each offer that could be bought for one job (or gang), whatever it costs. */
export const dryFor = (entry: QueueEntry, catalogue: Catalogue, seen: CapacityView): readonly (readonly Refusal[])[] =>
  offersFor(entry, catalogue).map((bought) => seen.against({ ...bought, count: entry.nodes }));

/**
 * Returns why nothing can be bought for a job now, and what the admin can do about it; undefined if nothing was refused.
 * The text must stay the same while the shortage lasts, because each new reason costs a write per waiting job.
 */
export function whyDry(against: readonly (readonly Refusal[])[]): string | undefined {
  const causes = whatWasRefused(against);
  const isQuota = against.flat().some(({ why }) => why === "limit");
  return causes && `${causes}; the next request follows within ${isQuota ? "half an hour" : "minutes"}`;
}

/** Returns why EC2 refused all that could be bought; undefined if nothing was refused. */
export function whatWasRefused(against: readonly (readonly Refusal[])[]): string | undefined {
  const all = against.flat();
  const quotas = unique(all.flatMap((refusal) => (refusal.why === "limit" ? [`${refusal.quota} (${refusal.code})`] : [])));
  const codes = unique(all.flatMap((refusal) => (refusal.why === "capacity" ? [refusal.code] : [])));
  const faults = unique(all.flatMap((refusal) => (refusal.why === "fault" ? [refusal.code] : [])));
  const causes = [
    ...(quotas.length > 0
      ? [
          `the account's quota of vCPUs is used up: ${quotas.join(", ")}; an admin can request an increase in Service Quotas, and vCPUs become free as work ends`,
        ]
      : []),
    ...(codes.length > 0 ? [`EC2 has no capacity for any instance type that fits (${codes.join(", ")})`] : []),
    ...(faults.length > 0 ? [`EC2 rejected the request (${faults.join(", ")}); the log of place has the details for an admin`] : []),
  ];
  return causes.length > 0 ? causes.join("; ") : undefined;
}

const unique = (all: readonly string[]): string[] => [...new Set(all)].sort();

/** The most offers that a reason names. */
const maxNamed = 3;

/** Returns which cheaper offers a job's launch does not request because they cool down, by type and market; undefined if there are none. */
export function passedOver(entry: QueueEntry, usdPerHour: number, of: { catalogue: Catalogue; seen: CapacityView }): string | undefined {
  const resting = offersFor(entry, of.catalogue)
    .filter((bought) => bought.offer.usdPerHour < usdPerHour && of.seen.status({ ...bought, count: entry.nodes }) === "cooling-down")
    .map(({ offer }) => offer);
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
  const more = named.length > maxNamed ? ` and ${named.length - maxNamed} more` : "";
  return `cheaper, but recently refused: ${named.slice(0, maxNamed).join("; ")}${more}`;
}
