import type { CreateFleetError } from "@aws-sdk/client-ec2";
import type { Launch, LaunchOutcome, OfferRefusal, RefusalKind } from "../../model/launch.ts";
import { type Offer, offerName } from "../../model/offer.ts";
import { awsCodeKind, isVcpuQuota, saysUnsold } from "../errors.ts";
import type { ZoneSubnet } from "./fleet-request.ts";
import { refusalsInWords } from "./refusal-words.ts";

/** What a code of CreateFleet's says of the offer it names. One that nobody knows here is a fault, as is a limit on other things. */
function refusalKind(code: string): RefusalKind {
  if (isVcpuQuota(code)) return "limit";
  return awsCodeKind(code) === "capacity" ? "capacity" : "fault";
}

/** The same, in the light of EC2's words. A type that is not sold is as good as one of which none is left: the offer is to blame. */
const refusalKindOf = (code: string, message: string): RefusalKind => (saysUnsold(code, message) ? "capacity" : refusalKind(code));

/**
 * The offers that EC2 says are not sold, where only its words name them: those of the type and, if it names one of their zones, of
 * the zone.
 */
export function unsoldIn(code: string, message: string, offers: readonly Offer[]): readonly Offer[] {
  if (!saysUnsold(code, message)) return [];
  // Each in brackets; zones that EC2 advises instead are not.
  const words = new Set([...message.matchAll(/\(([^()\s]+)\)/g)].map(([, word]) => word));
  const ofType = offers.filter(({ instanceType }) => words.has(instanceType));
  const ofZone = ofType.filter(({ zone }) => words.has(zone));
  return ofZone.length > 0 ? ofZone : ofType;
}

/**
 * Which of the launch's offers EC2 gave errors for, and why: one refusal an offer, of its first error.
 * An error that names none of them, by type and by subnet or zone, or in its words, is nobody's.
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

/** A launch that EC2 turned down as a whole, or for which it gave no reason that names an offer: all are to blame. */
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
 * A launch that brought nothing. For its record, the code that most is to be learned from: capacity may be had elsewhere,
 * which a quota of one family does not forbid.
 */
export function refusedEach(errors: readonly CreateFleetError[], launch: Launch, subnets: readonly ZoneSubnet[]): LaunchOutcome {
  const [first] = errors;
  if (!first)
    return refusedWhole(launch, { code: "NothingLaunched", message: "EC2 launched nothing and did not say why", why: "capacity" });
  const refusals = refusalsOf(errors, launch, subnets);
  const of = (kind: RefusalKind) => refusals.find(({ why }) => why === kind)?.code;
  const code = of("capacity") ?? of("limit") ?? codeOf(first);
  const message = refusalsInWords(errors, code, (subnet) => subnets.find((each) => each.subnet === subnet)?.zone);
  return refusals.length === 0 ? refusedWhole(launch, { code, message }) : { kind: "refused", code, message, refusals };
}

const codeOf = (error: CreateFleetError): string => error.ErrorCode ?? "unknown";

/** The same of each of these offers. */
export const blamed = (offers: readonly Offer[], code: string, why: RefusalKind = refusalKind(code)): OfferRefusal[] =>
  offers.map(({ instanceType, zone, market }) => ({ instanceType, zone, market, code, why }));
