import { randomUUID } from "node:crypto";
import { inWords } from "../../../model/errors/in-words.ts";
import type { Market, OfferRef } from "../../../model/offer.ts";
import type { HttpResponse } from "../../requests/http.ts";
import { Ec2Error, type Tree, xmlResponse } from "../../requests/query-protocol.ts";
import type { LocalLog } from "../../run/log-line.ts";
import type { InstanceFacts } from "../instances/instance.ts";
import type { Moto } from "../moto/moto.ts";
import { type Allocation, allocate, type Candidate } from "../offers/allocation.ts";
import { type FleetRequest, type Override, type TemplateSpecification, tagsFor, targets } from "./fleet-request.ts";
import { launchInstances } from "./launch-instances.ts";
import {
  type FleetErrorItem,
  notOffered,
  type OfferChoice,
  type OverrideChoice,
  price,
  type Seller,
  tooDear,
  withoutRoom,
} from "./refusals.ts";

export type FleetMaker = Seller & {
  readonly moto: Moto;
  readonly log: LocalLog;
  now(): number;
  /** Starts the life of an instance that was launched. */
  begin(instance: InstanceFacts): void;
};

export type FleetMade = {
  readonly response: HttpResponse;
  readonly instances: readonly InstanceFacts[];
  readonly errors: readonly { readonly code: string; readonly offer: OfferRef }[];
};

type Launched = OfferChoice & { readonly instances: readonly InstanceFacts[] };

/** Creates an instant fleet: launches what is available now, returns an error for each offer that is not, and launches nothing later. */
export async function createFleet(maker: FleetMaker, request: FleetRequest, region: string): Promise<FleetMade> {
  const choices = request.LaunchTemplateConfigs.flatMap((config) =>
    config.Overrides.map((override): OverrideChoice => ({ template: config.LaunchTemplateSpecification, override })),
  );
  const zones = await Promise.all(choices.map((choice) => zoneOf(maker, choice.override, region)));
  const fleetId = `fleet-${randomUUID()}`;
  const launched: Launched[] = [];
  const refused: FleetErrorItem[] = [];
  const target = targets(request);
  for (const market of ["on-demand", "spot"] as const) {
    if (target[market] === 0) continue;
    const places = choices.map((choice, i) => ({
      ...choice,
      offer: { instanceType: choice.override.InstanceType, zone: zones[i] ?? "", market },
    }));
    const made = await fill(maker, { request, region, fleetId, market, target: target[market] }, places);
    launched.push(...made.launched);
    refused.push(...made.refused);
  }
  const failed = refused.find((one) => one.code === "InternalError");
  if (failed && launched.length === 0) throw new Ec2Error(failed.code, failed.message, 500);
  return {
    response: xmlResponse("CreateFleet", {
      fleetId,
      errorSet: refused.map((one) => ({
        launchTemplateAndOverrides: templateAndOverrides(one, one.template),
        lifecycle: one.offer.market,
        errorCode: one.code,
        errorMessage: one.message,
      })),
      fleetInstanceSet: launched.map((one) => ({
        launchTemplateAndOverrides: templateAndOverrides(one, {
          LaunchTemplateId: one.instances[0]?.template?.id ?? one.template.LaunchTemplateId,
          Version: one.instances[0]?.template?.version ?? one.template.Version,
        }),
        lifecycle: one.offer.market,
        instanceIds: one.instances.map((instance) => instance.id),
        instanceType: one.offer.instanceType,
        availabilityZone: one.offer.zone,
        subnetId: one.override.SubnetId,
      })),
    }),
    instances: launched.flatMap((one) => one.instances),
    errors: refused.map((one) => ({ code: one.code, offer: one.offer })),
  };
}

async function zoneOf(maker: FleetMaker, override: Override, region: string): Promise<string> {
  const zone = override.SubnetId === undefined ? override.AvailabilityZone : await maker.offerings.zoneOf(region, override.SubnetId);
  if (zone === undefined) throw new Ec2Error("InvalidParameterValue", "An override must name a subnet or a zone");
  return zone;
}

type MarketOrder = {
  readonly request: FleetRequest;
  readonly region: string;
  readonly fleetId: string;
  readonly market: Market;
  readonly target: number;
};

async function fill(
  maker: FleetMaker,
  order: MarketOrder,
  places: readonly OfferChoice[],
): Promise<{ launched: readonly Launched[]; refused: readonly FleetErrorItem[] }> {
  const refused: FleetErrorItem[] = [];
  const offered: OfferChoice[] = [];
  for (const place of places) {
    const refusal = await notOffered(maker, place, order.region);
    if (refusal) refused.push(refusal);
    else offered.push(place);
  }
  const { market, request } = order;
  const options = market === "spot" ? request.SpotOptions : request.OnDemandOptions;
  const minimum = options.MinTargetCapacity ?? 0;
  const nowMs = maker.now();
  // There must be no await between checking the room and taking it, so that no other call takes it in between.
  const { allocations, short } = allocate(
    offered.map((place) => candidate(maker, place, nowMs)),
    {
      target: order.target,
      prioritized: options.AllocationStrategy === "prioritized",
      singleInstanceType: options.SingleInstanceType ?? false,
      singleAvailabilityZone: options.SingleAvailabilityZone ?? false,
      minimum,
    },
  );
  const filled = allocations.reduce((sum, one) => sum + one.count * one.candidate.weight, 0) >= order.target;
  for (const one of allocations) maker.capacity.take(one.candidate.offer, one.count);
  // EC2 checks spot capacity before it chooses, but tries on-demand offers one after the other and reports each one that failed.
  if (!filled || market === "on-demand") refused.push(...short.map((one) => withoutRoom(maker, one.of, { nowMs, whole: minimum > 0 })));

  const made = await launchAll(maker, order, allocations);
  const launched = await wholeOrNothing(maker, { region: order.region, minimum }, made.launched);
  for (const instance of launched.flatMap((one) => one.instances)) maker.begin(instance);
  return { launched, refused: [...refused, ...made.refused] };
}

async function launchAll(maker: FleetMaker, order: MarketOrder, allocations: readonly Allocation<OfferChoice>[]) {
  const launched: Launched[] = [];
  const refused: FleetErrorItem[] = [];
  await Promise.all(
    allocations.map(async ({ candidate: { of: place }, count }) => {
      try {
        launched.push({ ...place, instances: await launch(maker, order, { ...place, count }) });
      } catch (error) {
        // The instances of the other places stay. This place is reported as an error in addition to them.
        maker.capacity.giveBack(place.offer, count);
        const code = error instanceof Ec2Error ? error.code : "InternalError";
        if (code === "InternalError") maker.log({ message: "instances not launched", offer: place.offer, error });
        refused.push({ ...place, code, message: inWords(error) });
      }
    }),
  );
  return { launched, refused };
}

/** Terminates a fleet that is below its minimum because moto failed halfway. None of its instances has started to live. */
async function wholeOrNothing(
  maker: FleetMaker,
  { region, minimum }: { region: string; minimum: number },
  launched: readonly Launched[],
): Promise<readonly Launched[]> {
  if (worthOf(launched) >= minimum) return launched;
  for (const { offer, instances } of launched) {
    const named = instances.map((instance, i) => [`InstanceId.${i + 1}`, instance.id] as const);
    await maker.moto.call(region, { Action: "TerminateInstances", ...Object.fromEntries(named) });
    maker.capacity.giveBack(offer, instances.length);
  }
  return [];
}

const worthOf = (launched: readonly Launched[]): number =>
  launched.reduce((sum, one) => sum + one.instances.length * (one.override.WeightedCapacity ?? 1), 0);

const launch = (
  maker: FleetMaker,
  order: MarketOrder,
  place: OfferChoice & { readonly count: number },
): Promise<readonly InstanceFacts[]> =>
  launchInstances(maker.moto, {
    region: order.region,
    template: place.template,
    instanceType: place.offer.instanceType,
    subnet: place.override.SubnetId,
    zone: place.offer.zone,
    market: order.market,
    count: place.count,
    tags: {
      instance: { ...tagsFor(order.request, "instance"), "aws:ec2:fleet-id": order.fleetId },
      volume: tagsFor(order.request, "volume"),
    },
  });

function candidate(maker: FleetMaker, place: OfferChoice, nowMs: number): Candidate<OfferChoice> {
  const blocked = maker.capacity.refusal(place.offer) !== undefined || tooDear(maker, place, nowMs) !== undefined;
  return {
    of: place,
    offer: place.offer,
    usdPerHour: price(maker, place.offer, nowMs),
    priority: place.override.Priority ?? Number.MAX_SAFE_INTEGER,
    weight: place.override.WeightedCapacity ?? 1,
    room: blocked ? 0 : maker.capacity.room(place.offer),
  };
}

const templateAndOverrides = (
  { override }: OfferChoice,
  template: { readonly [name in keyof TemplateSpecification]: TemplateSpecification[name] | undefined },
): Tree => ({
  launchTemplateSpecification: {
    launchTemplateId: template.LaunchTemplateId,
    launchTemplateName: template.LaunchTemplateId === undefined ? template.LaunchTemplateName : undefined,
    version: template.Version,
  },
  overrides: {
    instanceType: override.InstanceType,
    maxPrice: override.MaxPrice,
    subnetId: override.SubnetId,
    availabilityZone: override.AvailabilityZone,
    weightedCapacity: override.WeightedCapacity?.toString(),
    priority: override.Priority?.toString(),
  },
});
