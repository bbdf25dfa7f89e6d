import type { Launch, LaunchOutcome } from "../../model/launch.ts";
import { type InstanceType, type OfferRef, offerName, regionOf } from "../../model/offer.ts";
import { type Refusal, type Refused, type Subject, subjectName } from "../../model/refusal.ts";
import { vcpusOf } from "./capacity-view.ts";
import { given, refusedAgain } from "./cooldown.ts";
import { quotaOf } from "./quotas.ts";

/** How a response of EC2 changes what is known about one subject. `next` returns undefined if the refusal is forgotten. */
export type RefusalUpdate = { readonly subject: Subject; readonly next: (known: Refusal | undefined) => Refusal | undefined };

/**
 * Returns what is learned from a launch: refusals of what EC2 has now given are forgotten, and what it has refused rests. If EC2 gave less
 * of a subject than was requested, both apply: the old refusal is forgotten, and a new one starts.
 */
export function refusalUpdatesOf(
  launch: Launch,
  outcome: Extract<LaunchOutcome, { kind: "launched" | "refused" }>,
  atMs: number,
): readonly RefusalUpdate[] {
  const gave = new Map<string, { readonly subject: Subject; readonly much: number }>();
  for (const [offer, count] of outcome.kind === "launched" ? counted(outcome.instances, launch) : []) {
    for (const each of givenBy(offer, count, launch)) gave.set(subjectName(each.subject), each);
  }
  const refused = new Map<string, Refused>();
  for (const each of outcome.refusals.map((refusal) => refusedOf(refusal, launch))) {
    const before = refused.get(subjectName(each.subject));
    if (!before || each.least < before.least) refused.set(subjectName(each.subject), each);
  }
  const names = [...new Set([...gave.keys(), ...refused.keys()])].sort();
  return names.flatMap((name): RefusalUpdate[] => {
    const [well, ill] = [gave.get(name), refused.get(name)];
    const subject = well?.subject ?? ill?.subject;
    if (!subject) return [];
    const next = (known: Refusal | undefined): Refusal | undefined => {
      const after = well && known?.launch !== launch.id ? given(known, well.much) : known;
      return ill ? refusedAgain(after, ill, atMs) : after;
    };
    return [{ subject, next }];
  });
}

function counted(instances: readonly { readonly instanceType: string; readonly zone: string }[], launch: Launch): [OfferRef, number][] {
  const groups = Map.groupBy(instances, ({ instanceType, zone }) => offerName({ instanceType, zone, market: launch.market }));
  return [...groups.values()].flatMap((group) => {
    const [one] = group;
    return one ? [[{ instanceType: one.instanceType, zone: one.zone, market: launch.market }, group.length]] : [];
  });
}

function givenBy({ instanceType, zone, market }: OfferRef, count: number, launch: Launch): { subject: Subject; much: number }[] {
  const offer = { instanceType, zone, market };
  const type = typeOf(offer, launch);
  return [
    { subject: { why: "capacity", ...offer }, much: count },
    { subject: { why: "fault", pool: launch.pool, ...offer }, much: count },
    ...(type ? [{ subject: limitOn(offer), much: vcpusOf(type, count) }] : []),
  ];
}

function refusedOf({ code, why, ...ref }: { code: string; why: Subject["why"] } & OfferRef, launch: Launch): Refused {
  const offer = { instanceType: ref.instanceType, zone: ref.zone, market: ref.market };
  // If the launch would have accepted fewer nodes, not even one was available.
  const count = launch.whole ? launch.count : 1;
  const type = typeOf(offer, launch);
  if (why === "limit" && type) return { subject: limitOn(offer), code, least: vcpusOf(type, count), launch: launch.id };
  const subject: Subject = why === "fault" ? { why, pool: launch.pool, ...offer } : { why: "capacity", ...offer };
  return { subject, code, least: count, launch: launch.id };
}

const limitOn = ({ instanceType, zone, market }: OfferRef): Subject => ({
  why: "limit",
  region: regionOf(zone),
  market,
  quota: quotaOf(instanceType, market),
});
const typeOf = ({ instanceType }: OfferRef, launch: Launch): InstanceType | undefined =>
  launch.types.find(({ name }) => name === instanceType);
