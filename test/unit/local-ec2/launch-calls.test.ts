import { describe, expect, it } from "vitest";
import { launchedIn, launchInstances } from "../../../lib/local/ec2/calls/launch-instances.ts";
import { notOffered, price, type Seller, tooDear, withoutRoom } from "../../../lib/local/ec2/calls/refusals.ts";
import { readXml } from "../../../lib/local/ec2/moto/xml-document.ts";
import { createCapacity } from "../../../lib/local/ec2/offers/capacity.ts";
import { createOfferings } from "../../../lib/local/ec2/offers/offerings.ts";
import { onDemandPrice } from "../../../lib/local/ec2/offers/on-demand-prices.ts";
import { spotPrice } from "../../../lib/local/ec2/offers/spot-prices.ts";
import { createOrders } from "../../../lib/local/ec2/record.ts";
import { Ec2Error } from "../../../lib/local/requests/query-protocol.ts";

const item = (inner: string): string => `<item>${inner}</item>`;
const launchedXml = (inner: string): string =>
  `<RunInstancesResponse><ownerId>123</ownerId><instancesSet>${item(inner)}</instancesSet></RunInstancesResponse>`;

describe("the call by which instances are created", () => {
  const order = {
    region: "us-east-1",
    template: { LaunchTemplateId: "lt-1", Version: "3" },
    instanceType: "g5.xlarge",
    zone: "us-east-1b",
    market: "on-demand",
    count: 2,
    tags: { instance: { a: "1", b: "2" }, volume: { c: "3" } },
  } as const;
  async function formOf(over: object) {
    const asked: [string, Record<string, string>][] = [];
    const moto = {
      pass: () => Promise.reject(new Error("not passed on")),
      call: async (region: string, form: URLSearchParams | Readonly<Record<string, string>>) => {
        asked.push([region, Object.fromEntries(new URLSearchParams(form))]);
        return readXml(launchedXml("<instanceId>i-1</instanceId>"));
      },
    };
    const instances = await launchInstances(moto, { ...order, ...over });
    return { asked, instances };
  }

  it("a launch names its template, type, zone, count and tags", async () => {
    const { asked, instances } = await formOf({});
    expect(asked).toEqual([
      [
        "us-east-1",
        {
          Action: "RunInstances",
          MinCount: "2",
          MaxCount: "2",
          InstanceType: "g5.xlarge",
          InstanceInitiatedShutdownBehavior: "terminate",
          "LaunchTemplate.LaunchTemplateId": "lt-1",
          "LaunchTemplate.Version": "3",
          "Placement.AvailabilityZone": "us-east-1b",
          "TagSpecification.1.ResourceType": "instance",
          "TagSpecification.1.Tag.1.Key": "a",
          "TagSpecification.1.Tag.1.Value": "1",
          "TagSpecification.1.Tag.2.Key": "b",
          "TagSpecification.1.Tag.2.Value": "2",
          "TagSpecification.2.ResourceType": "volume",
          "TagSpecification.2.Tag.1.Key": "c",
          "TagSpecification.2.Tag.1.Value": "3",
        },
      ],
    ]);
    expect(instances).toMatchObject([{ id: "i-1" }]);
  });

  it("a spot launch in a subnet names its market and its subnet instead of a zone", async () => {
    const [[, form] = ["", {}]] = (
      await formOf({ market: "spot", subnet: "subnet-1", template: { LaunchTemplateName: "n", Version: undefined } })
    ).asked;
    expect(form).toMatchObject({
      SubnetId: "subnet-1",
      "InstanceMarketOptions.MarketType": "spot",
      "LaunchTemplate.LaunchTemplateName": "n",
    });
    expect(Object.keys(form)).not.toContain("Placement.AvailabilityZone");
    expect(Object.keys(form)).not.toContain("LaunchTemplate.Version");
  });

  it("the facts of an instance are read from the response", () => {
    const tags = ["name=n", "aws:ec2launchtemplate:id=lt-1", "aws:ec2launchtemplate:version=3"].map((each) => each.split("="));
    const tagSet = tags.map(([key, value]) => item(`<key>${key}</key><value>${value}</value>`)).join("");
    const full = launchedXml(
      "<instanceId>i-1</instanceId><instanceType>g5.xlarge</instanceType><placement><availabilityZone>us-east-1c</availabilityZone></placement>" +
        `<instanceLifecycle>spot</instanceLifecycle><imageId>ami-1</imageId><privateIpAddress>10.0.0.1</privateIpAddress><tagSet>${tagSet}</tagSet>`,
    );
    expect(launchedIn(readXml(full), "us-east-1")).toEqual([
      {
        id: "i-1",
        region: "us-east-1",
        instanceType: "g5.xlarge",
        zone: "us-east-1c",
        market: "spot",
        imageId: "ami-1",
        privateIp: "10.0.0.1",
        accountId: "123",
        tags: { name: "n", "aws:ec2launchtemplate:id": "lt-1", "aws:ec2launchtemplate:version": "3" },
        template: { id: "lt-1", version: "3" },
      },
    ]);
    expect(launchedIn(readXml(launchedXml("<instanceId>i-2</instanceId>")), "us-east-1")).toMatchObject([
      { zone: "us-east-1a", market: "on-demand", instanceType: "", imageId: "", privateIp: "", tags: {}, template: undefined },
    ]);
    const template = item("<key>aws:ec2launchtemplate:id</key><value>lt-1</value>");
    expect(launchedIn(readXml(launchedXml(`<tagSet>${template}</tagSet>`)), "us-east-1")[0]?.template).toEqual({
      id: "lt-1",
      version: "$Default",
    });
  });
});

describe("why an offer is refused", () => {
  const spot = { instanceType: "g5.xlarge", zone: "us-east-1a", market: "spot" } as const;
  const found = { of: "offered" as "offered" | "elsewhere" | "unknown" };
  const capacity = createCapacity({});
  const offerings = { check: async () => found.of, pricedPlaces: async () => [], zoneOf: async () => "" };
  const seller: Seller = { offerings, capacity, seed: 1 };
  const place = (over: object = {}, MaxPrice?: string) => ({
    template: { Version: "1" },
    override: { InstanceType: "g5.xlarge", ...(MaxPrice === undefined ? {} : { MaxPrice }) },
    offer: { ...spot, ...over },
  });
  const nowMs = Date.UTC(2026, 0, 1);
  const now = spotPrice(1, { ...spot, atMs: nowMs }) ?? 0;

  it("an offer of an unknown type fails the call, and one of another zone is an error of that offer", async () => {
    expect(await notOffered(seller, place(), "us-east-1")).toBeUndefined();
    found.of = "elsewhere";
    expect(await notOffered(seller, place(), "us-east-1")).toEqual({
      ...place(),
      code: "InvalidFleetConfiguration",
      message: "Your requested instance type (g5.xlarge) is not supported in your requested Availability Zone (us-east-1a).",
    });
    found.of = "unknown";
    await expect(notOffered(seller, place(), "us-east-1")).rejects.toThrow(
      new Ec2Error("InvalidParameterValue", "Invalid value 'g5.xlarge' for InstanceType."),
    );
  });

  it("an offer costs its market's price, and one without a price is the most expensive", () => {
    expect(price(seller, spot, nowMs)).toBe(now);
    expect(price(seller, { ...spot, market: "on-demand" }, nowMs)).toBe(onDemandPrice("g5.xlarge"));
    expect(price(seller, { ...spot, instanceType: "x9.large" }, nowMs)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it("a spot offer is too expensive only above the highest price that the request allows", () => {
    expect(tooDear(seller, place(), nowMs)).toBeUndefined();
    expect(tooDear(seller, place({}, String(now)), nowMs)).toBeUndefined();
    expect(tooDear(seller, place({ market: "on-demand" }, "0.0001"), nowMs)).toBeUndefined();
    const less = String(now - 0.0001);
    expect(tooDear(seller, place({}, less), nowMs)).toBe(
      `Your Spot request price of ${less} is lower than the minimum required Spot request fulfillment price of ${now}.`,
    );
  });

  it.each([
    ["spot", false, "UnfulfillableCapacity", /^Unable to fulfill capacity/],
    ["spot", true, "InsufficientInstanceCapacity", /^We currently do not have sufficient g5.xlarge capacity in .*\(us-east-1a\)/],
    ["on-demand", false, "InsufficientInstanceCapacity", /^We currently do not have/],
  ] as const)("an offer without room on %s, whole %s, is refused with %s", (market, whole, code, message) => {
    const refused = withoutRoom(seller, place({ market }), { nowMs, whole });
    expect(refused).toMatchObject({ ...place({ market }), code });
    expect(refused.message).toMatch(message);
  });

  it("an offer is refused for its price first, and then with the code of its refusal", () => {
    expect(withoutRoom(seller, place({}, "0.0001"), { nowMs, whole: false }).code).toBe("SpotMaxPriceTooLow");
    const lift = capacity.refuse({}, "VcpuLimitExceeded");
    expect(withoutRoom(seller, place(), { nowMs, whole: false })).toMatchObject({
      code: "VcpuLimitExceeded",
      message: "VcpuLimitExceeded for g5.xlarge in us-east-1a",
    });
    lift();
  });
});

describe("the zones in which EC2 offers types", () => {
  const offered = (...pairs: readonly (readonly [string, string])[]) =>
    readXml(
      `<r><instanceTypeOfferingSet>${pairs
        .map(([type, zone]) => item(`<instanceType>${type}</instanceType><location>${zone}</location>`))
        .join("")}${item("<location>us-east-1a</location>")}${item("<instanceType>odd</instanceType>")}</instanceTypeOfferingSet></r>`,
    );
  function stage(broken = { now: false }) {
    const asked: Readonly<Record<string, string>>[] = [];
    const offerings = createOfferings({
      pass: () => Promise.reject(new Error("not passed on")),
      call: async (_region, form) => {
        const given = Object.fromEntries(new URLSearchParams(form));
        asked.push(given);
        if (broken.now) throw new Error("connection reset");
        if (given["Action"] === "DescribeSubnets")
          return readXml(
            given["SubnetId.1"] === "subnet-1"
              ? `<r><subnetSet>${item("<availabilityZone>us-east-1d</availabilityZone>")}</subnetSet></r>`
              : "<r></r>",
          );
        return offered(["g5.xlarge", "us-east-1b"], ["g5.xlarge", "us-east-1a"], ["x9.large", "us-east-1c"]);
      },
    });
    return { offerings, asked };
  }

  it("the places of the types that have a price are sorted, and read once", async () => {
    const { offerings, asked } = stage();
    const places = [
      { instanceType: "g5.xlarge", zone: "us-east-1a" },
      { instanceType: "g5.xlarge", zone: "us-east-1b" },
    ];
    expect(await offerings.pricedPlaces("us-east-1")).toEqual(places);
    expect(await offerings.pricedPlaces("us-east-1")).toEqual(places);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      Action: "DescribeInstanceTypeOfferings",
      LocationType: "availability-zone",
      "Filter.1.Name": "instance-type",
    });
    expect(Object.keys(asked[0] ?? {}).some((name) => name === "Filter.1.Value.1")).toBe(true);
    await offerings.pricedPlaces("eu-west-1");
    expect(asked).toHaveLength(2);
  });

  it("a type is offered in its zones, elsewhere, or unknown, and a type without a price is read by itself", async () => {
    const { offerings, asked } = stage();
    const check = (instanceType: string, zone: string) => offerings.check("us-east-1", { instanceType, zone });
    expect(await Promise.all([check("g5.xlarge", "us-east-1a"), check("g5.xlarge", "us-east-1f")])).toEqual(["offered", "elsewhere"]);
    expect(asked).toHaveLength(1);
    expect([await check("x9.large", "us-east-1c"), await check("x9.huge", "us-east-1c")]).toEqual(["offered", "unknown"]);
    expect(asked.slice(1).map((each) => [each["Filter.1.Value.1"], each["Filter.1.Value.2"]])).toEqual([
      ["x9.large", undefined],
      ["x9.huge", undefined],
    ]);
  });

  it("a read that failed is repeated", async () => {
    const broken = { now: true };
    const { offerings, asked } = stage(broken);
    await expect(offerings.pricedPlaces("us-east-1")).rejects.toThrow("connection reset");
    broken.now = false;
    expect(await offerings.pricedPlaces("us-east-1")).toHaveLength(2);
    expect(asked).toHaveLength(2);
  });

  it("the zone of a subnet is read once, and an unknown subnet is refused", async () => {
    const { offerings, asked } = stage();
    expect([await offerings.zoneOf("us-east-1", "subnet-1"), await offerings.zoneOf("us-east-1", "subnet-1")]).toEqual([
      "us-east-1d",
      "us-east-1d",
    ]);
    expect(asked).toEqual([{ Action: "DescribeSubnets", "SubnetId.1": "subnet-1" }]);
    await expect(offerings.zoneOf("us-east-1", "subnet-9")).rejects.toMatchObject({
      code: "InvalidSubnetID.NotFound",
      message: "The subnet ID 'subnet-9' does not exist",
    });
  });
});

it("each call of an action takes one of the orders for it, in their order", () => {
  const orders = createOrders<string>();
  orders.add("CreateFleet", 2, "cut");
  orders.add("CreateFleet", 1, "error");
  orders.add("TerminateInstances", 1, "late");
  expect(["CreateFleet", "CreateFleet", "CreateFleet", "CreateFleet", "TerminateInstances", "Other"].map(orders.take)).toEqual([
    "cut",
    "cut",
    "error",
    undefined,
    "late",
    undefined,
  ]);
});
