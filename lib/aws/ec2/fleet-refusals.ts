import type { CreateFleetError } from "@aws-sdk/client-ec2";
import type { Launch, LaunchOutcome, OfferRefusal, RefusalKind } from "../../model/launch.ts";
import { type Offer, offerName } from "../../model/offer.ts";
import { awsCodeKind, isVcpuQuota, saysUnsold } from "../errors.ts";
import type { ZoneSubnet } from "./fleet-request.ts";
import { refusalsInWords } from "./refusal-words.ts";

/** Returns what a code of CreateFleet says about its offer. Unknown codes are faults, and so are limits on anything but vCPUs. */
function refusalKind(code: string): RefusalKind {
  if (isVcpuQuota(code)) return "limit";
  return awsCodeKind(code) === "capacity" ? "capacity" : "fault";
}

/** Returns the same, considering EC2's message. A type that is not sold counts as capacity, because the offer is to blame. */
const refusalKindOf = (code: string, message: string): RefusalKind => (saysUnsold(code, message) ? "capacity" : refusalKind(code));

/**
 * Returns the offers that EC2's message says are not sold, if only the message names them: those of the type and, if it names one
 * of their zones, of the zone.
 */
export function unsoldIn(code: string, message: string, offers: readonly Offer[]): readonly Offer[] {
  if (!saysUnsold(code, message)) return [];
  // EC2 puts names in brackets, but not the zones that it recommends instead.
  const words = new Set([...message.matchAll(/\(([^()\s]+)\)/g)].map(([, word]) => word));
  const ofType = offers.filter(({ instanceType }) => words.has(instanceType));
  const ofZone = ofType.filter(({ zone }) => words.has(zone));
  return ofZone.length > 0 ? ofZone : ofType;
}

/**
 * Returns the launch's offers for which EC2 returned errors, and why: one refusal per offer, from its first error.
 * Errors that name none of the offers, by type and subnet or zone or in their message, are ignored.
 */
export function refusalsOf(errors: readonly CreateFleetError[], launch: Launch, subnets: readonly ZoneSubnet[]): readonly OfferRefusal[] {
  const zoneOf = new Map(subnets.map(({ zone, subnet }) => [subnet, zone]));
  const refused = new Map<string, OfferRefusal>();
  for (const error of errors) {
    const { InstanceType, SubnetId, AvailabilityZone } = error.LaunchTemplateAndOverrides?.Overrides ?? {};
    const zone = (SubnetId === undefined ? undefined : zoneOf.get(SubnetId)) ?? AvailabilityZone;
    const [code, message] = [codeOf(error), error.ErrorMessage ?? ""];
    const named = launch.offers.filter((offer) => offer.instanceType === InstanceType && offer.zone === zone);
    const meant = named.length > 0 ? named : unsoldIn(code, message, launch.offers);
    for (const refusal of blamed(meant, code, refusalKindOf(code, message))) {
      if (!refused.has(offerName(refusal))) refused.set(offerName(refusal), refusal);
    }
  }
  return [...refused.values()];
}

/** Returns the outcome of a launch that EC2 refused as a whole or without naming an offer. All its offers are to blame. */
export const refusedWhole = (
  launch: Launch,
  { code, message, why }: { code: string; message: string; why?: RefusalKind },
): LaunchOutcome => ({
  kind: "refused",
  code,
  message,
  refusals: blamed(launch.offers, code, why),
});

/**
 * Returns the outcome of a launch that launched nothing. Its code is the most informative one: capacity before quota, because
 * capacity may be available elsewhere, which a quota of one family does not forbid.
 */
export function refusedEach(errors: readonly CreateFleetError[], launch: Launch, subnets: readonly ZoneSubnet[]): LaunchOutcome {
  const [first] = errors;
  if (!first) return refusedWhole(launch, { code: "NothingLaunched", message: "EC2 launched nothing and gave no reason", why: "capacity" });
  const refusals = refusalsOf(errors, launch, subnets);
  const of = (kind: RefusalKind) => refusals.find(({ why }) => why === kind)?.code;
  const code = of("capacity") ?? of("limit") ?? codeOf(first);
  const message = refusalsInWords(errors, code, (subnet) => subnets.find((each) => each.subnet === subnet)?.zone);
  return refusals.length === 0 ? refusedWhole(launch, { code, message }) : { kind: "refused", code, message, refusals };
}

const codeOf = (error: CreateFleetError): string => error.ErrorCode ?? "unknown";

/** Returns a refusal with the same code for each of these offers. */
export const blamed = (offers: readonly Offer[], code: string, why: RefusalKind = refusalKind(code)): OfferRefusal[] =>
  offers.map(({ instanceType, zone, market }) => ({ instanceType, zone, market, code, why }));
