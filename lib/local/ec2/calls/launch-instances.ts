import type { Market } from "../../../model/offer.ts";
import type { InstanceFacts } from "../instances/instance.ts";
import type { Moto } from "../moto/moto.ts";
import { type Element, items, textAt } from "../moto/xml-document.ts";
import type { TemplateSpecification } from "./fleet-request.ts";

export type LaunchOrder = {
  readonly region: string;
  readonly template: TemplateSpecification;
  readonly instanceType: string;
  readonly subnet?: string | undefined;
  readonly zone: string;
  readonly market: Market;
  readonly count: number;
  readonly tags: { readonly instance: Readonly<Record<string, string>>; readonly volume: Readonly<Record<string, string>> };
};

/** Creates the instances in moto. Calls RunInstances because moto's CreateFleet records neither zone nor lifecycle. */
export async function launchInstances(moto: Moto, order: LaunchOrder): Promise<readonly InstanceFacts[]> {
  const form = new URLSearchParams({
    Action: "RunInstances",
    MinCount: String(order.count),
    MaxCount: String(order.count),
    InstanceType: order.instanceType,
    InstanceInitiatedShutdownBehavior: "terminate",
  });
  for (const [name, value] of Object.entries(order.template)) if (value !== undefined) form.set(`LaunchTemplate.${name}`, value);
  if (order.subnet !== undefined) form.set("SubnetId", order.subnet);
  else form.set("Placement.AvailabilityZone", order.zone);
  if (order.market === "spot") form.set("InstanceMarketOptions.MarketType", "spot");
  Object.entries(order.tags).forEach(([resource, tags], i) => {
    Object.entries(tags).forEach(([key, value], j) => {
      form.set(`TagSpecification.${i + 1}.ResourceType`, resource);
      form.set(`TagSpecification.${i + 1}.Tag.${j + 1}.Key`, key);
      form.set(`TagSpecification.${i + 1}.Tag.${j + 1}.Value`, value);
    });
  });
  return launchedIn(await moto.call(order.region, form), order.region);
}

/** Returns the instances in a response of RunInstances. */
export const launchedIn = (response: Element, region: string): readonly InstanceFacts[] =>
  items(response, "instancesSet").map((item) => {
    const tags = Object.fromEntries(items(item, "tagSet").map((tag) => [textAt(tag, "key") ?? "", textAt(tag, "value") ?? ""]));
    const id = tags["aws:ec2launchtemplate:id"];
    return {
      id: textAt(item, "instanceId") ?? "",
      region,
      instanceType: textAt(item, "instanceType") ?? "",
      zone: textAt(item, "placement", "availabilityZone") ?? `${region}a`,
      market: textAt(item, "instanceLifecycle") === "spot" ? "spot" : "on-demand",
      imageId: textAt(item, "imageId") ?? "",
      privateIp: textAt(item, "privateIpAddress") ?? "",
      accountId: textAt(response, "ownerId") ?? "",
      tags,
      template: id === undefined ? undefined : { id, version: tags["aws:ec2launchtemplate:version"] ?? "$Default" },
    };
  });
