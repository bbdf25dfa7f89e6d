import * as z from "zod";
import { Ec2Error, treeOf } from "../../requests/query-protocol.ts";

const count = z.coerce.number().int().min(0);
const flag = z.enum(["true", "false"]).transform((text) => text === "true");

const Override = z.strictObject({
  InstanceType: z.string(),
  SubnetId: z.string().optional(),
  AvailabilityZone: z.string().optional(),
  MaxPrice: z.string().optional(),
  Priority: z.coerce.number().optional(),
  WeightedCapacity: z.coerce.number().positive().optional(),
});
export type Override = z.infer<typeof Override>;

const TemplateSpecification = z.strictObject({
  LaunchTemplateId: z.string().optional(),
  LaunchTemplateName: z.string().optional(),
  Version: z.string().default("$Default"),
});
export type TemplateSpecification = z.infer<typeof TemplateSpecification>;

const Single = { SingleInstanceType: flag.optional(), SingleAvailabilityZone: flag.optional(), MinTargetCapacity: count.optional() };

/** The part of CreateFleet that this EC2 supports. It is strict because an unknown parameter would change what real EC2 does. */
const FleetRequest = z.strictObject({
  Action: z.string(),
  Version: z.string().optional(),
  ClientToken: z.string().optional(),
  DryRun: z.literal("false").optional(),
  Type: z.literal("instant", "the local cloud supports only instant fleets"),
  LaunchTemplateConfigs: z
    .array(z.strictObject({ LaunchTemplateSpecification: TemplateSpecification, Overrides: z.array(Override).min(1) }))
    .min(1),
  TargetCapacitySpecification: z.strictObject({
    TotalTargetCapacity: count,
    OnDemandTargetCapacity: count.optional(),
    SpotTargetCapacity: count.optional(),
    DefaultTargetCapacityType: z.enum(["spot", "on-demand"]).default("on-demand"),
  }),
  SpotOptions: z
    .strictObject({
      AllocationStrategy: z
        .enum([
          "lowestPrice",
          "lowest-price",
          "diversified",
          "capacityOptimized",
          "capacity-optimized",
          "capacityOptimizedPrioritized",
          "capacity-optimized-prioritized",
          "priceCapacityOptimized",
          "price-capacity-optimized",
        ])
        .optional(),
      InstanceInterruptionBehavior: z.literal("terminate", "an instant fleet's instances can only be terminated").optional(),
      ...Single,
    })
    .default({}),
  OnDemandOptions: z
    .strictObject({ AllocationStrategy: z.enum(["lowestPrice", "lowest-price", "prioritized"]).optional(), ...Single })
    .default({}),
  TagSpecification: z
    .array(
      z.strictObject({
        ResourceType: z.string(),
        Tag: z.array(z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256).default("") })).default([]),
      }),
    )
    .default([]),
});
export type FleetRequest = z.infer<typeof FleetRequest>;

/** Parses a request. Throws EC2's error if the request is not valid. */
export function parseFleetRequest(form: URLSearchParams): FleetRequest {
  const parsed = FleetRequest.safeParse(treeOf(form));
  if (!parsed.success) throw new Ec2Error("InvalidParameterValue", z.prettifyError(parsed.error));
  for (const options of [parsed.data.SpotOptions, parsed.data.OnDemandOptions]) {
    if (options.MinTargetCapacity !== undefined && !options.SingleInstanceType && !options.SingleAvailabilityZone) {
      throw new Ec2Error("InvalidParameterCombination", "MinTargetCapacity needs SingleInstanceType or SingleAvailabilityZone");
    }
  }
  return parsed.data;
}

export const tagsFor = (request: FleetRequest, resourceType: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    request.TagSpecification.filter((specification) => specification.ResourceType === resourceType).flatMap((specification) =>
      specification.Tag.map((tag) => [tag.Key, tag.Value]),
    ),
  );

/** Returns the requested capacity per market. */
export function targets(request: FleetRequest): { readonly "on-demand": number; readonly spot: number } {
  const { TotalTargetCapacity: total, DefaultTargetCapacityType: rest, ...given } = request.TargetCapacitySpecification;
  const [onDemand, spot] = [given.OnDemandTargetCapacity ?? 0, given.SpotTargetCapacity ?? 0];
  if (onDemand + spot > total) throw new Ec2Error("InvalidParameterCombination", "The target capacities exceed TotalTargetCapacity");
  const left = total - onDemand - spot;
  return { "on-demand": onDemand + (rest === "on-demand" ? left : 0), spot: spot + (rest === "spot" ? left : 0) };
}
