import { describe, expect, it } from "vitest";
import { createFleet, type FleetMaker } from "../../../lib/local/ec2/calls/create-fleet.ts";
import { parseFleetRequest, tagsFor, targets } from "../../../lib/local/ec2/calls/fleet-request.ts";
import { type Element, find, items, readXml, textAt } from "../../../lib/local/ec2/moto/xml-document.ts";
import { createCapacity } from "../../../lib/local/ec2/offers/capacity.ts";
import { Ec2Error } from "../../../lib/local/requests/query-protocol.ts";
import { expectLine, type Logged } from "../../fakes/log-lines.ts";

type Form = Readonly<Record<string, string>>;

/** A request for instant instances of these types and zones. */
const formOf = (overrides: readonly (readonly [type: string, zone: string, more?: Form])[], more: Form = {}): URLSearchParams =>
  new URLSearchParams({
    Action: "CreateFleet",
    Type: "instant",
    "TargetCapacitySpecification.TotalTargetCapacity": "1",
    "LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateName": "node",
    ...Object.assign(
      {},
      ...overrides.map(([type, zone, over = {}], n) => {
        const prefix = `LaunchTemplateConfigs.1.Overrides.${n + 1}.`;
        const fields = { InstanceType: type, AvailabilityZone: zone, ...over };
        return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${prefix}${name}`, value]));
      }),
    ),
    ...more,
  });

describe("the capacity that a fleet request asks for", () => {
  const targetsOf = (more: Form) =>
    targets(
      parseFleetRequest(
        formOf(
          [["g5.xlarge", "us-east-1a"]],
          Object.fromEntries(Object.entries(more).map(([name, value]) => [`TargetCapacitySpecification.${name}`, value])),
        ),
      ),
    );

  it.each<[Form, object]>([
    [{ TotalTargetCapacity: "5" }, { "on-demand": 5, spot: 0 }],
    [
      { TotalTargetCapacity: "5", DefaultTargetCapacityType: "spot" },
      { "on-demand": 0, spot: 5 },
    ],
    [
      { TotalTargetCapacity: "5", OnDemandTargetCapacity: "1", SpotTargetCapacity: "2" },
      { "on-demand": 3, spot: 2 },
    ],
    [
      { TotalTargetCapacity: "5", OnDemandTargetCapacity: "1", SpotTargetCapacity: "2", DefaultTargetCapacityType: "spot" },
      { "on-demand": 1, spot: 4 },
    ],
    [
      { TotalTargetCapacity: "3", OnDemandTargetCapacity: "1", SpotTargetCapacity: "2" },
      { "on-demand": 1, spot: 2 },
    ],
  ])("the rest of the total is of the default market: %j", (given, expected) => {
    expect(targetsOf(given)).toEqual(expected);
  });

  it("more than the total is refused", () => {
    expect(() => targetsOf({ TotalTargetCapacity: "2", OnDemandTargetCapacity: "1", SpotTargetCapacity: "2" })).toThrow(
      expect.objectContaining({ code: "InvalidParameterCombination" }),
    );
  });

  it("a minimum needs a single type or a single zone", () => {
    const place = [["g5.xlarge", "us-east-1a"]] as const;
    for (const market of ["SpotOptions", "OnDemandOptions"]) {
      const minimum = { [`${market}.MinTargetCapacity`]: "1" };
      expect(() => parseFleetRequest(formOf(place, minimum))).toThrow(
        "MinTargetCapacity needs SingleInstanceType or SingleAvailabilityZone",
      );
      for (const single of ["SingleInstanceType", "SingleAvailabilityZone"])
        expect(() => parseFleetRequest(formOf(place, { ...minimum, [`${market}.${single}`]: "true" }))).not.toThrow();
    }
    expect(() => parseFleetRequest(formOf(place, { Colour: "red" }))).toThrow(expect.objectContaining({ code: "InvalidParameterValue" }));
  });

  it("tags are those of the type of resource", () => {
    const tag = (n: number, resource: string, key: string): Form => ({
      [`TagSpecification.${n}.ResourceType`]: resource,
      [`TagSpecification.${n}.Tag.1.Key`]: key,
      [`TagSpecification.${n}.Tag.1.Value`]: "v",
    });
    const request = parseFleetRequest(
      formOf([["g5.xlarge", "us-east-1a"]], { ...tag(1, "instance", "a"), ...tag(2, "volume", "b"), ...tag(3, "instance", "c") }),
    );
    expect(tagsFor(request, "instance")).toEqual({ a: "v", c: "v" });
    expect(tagsFor(request, "volume")).toEqual({ b: "v" });
  });
});

describe("a fleet that is created at once", () => {
  /** `more`: what moto says about each instance beyond the basics. */
  type Stage = {
    readonly capacity?: Readonly<Record<string, number>>;
    readonly fails?: (form: Form) => Error | undefined;
    readonly more?: string;
  };

  async function made(form: URLSearchParams, { capacity: limits = {}, fails = () => undefined, more = "" }: Stage = {}) {
    const calls: Form[] = [];
    const begun: string[] = [];
    const lines: Logged[] = [];
    const capacity = createCapacity(limits);
    let launched = 0;
    const nextId = (): number => {
      launched += 1;
      return launched;
    };
    const maker: FleetMaker = {
      seed: 1,
      capacity,
      offerings: {
        check: async (_region, { zone }) => (zone === "us-east-1z" ? "elsewhere" : "offered"),
        pricedPlaces: async () => [],
        zoneOf: async (_region, subnet) => (subnet === "subnet-1" ? "us-east-1a" : "us-east-1b"),
      },
      moto: {
        pass: () => Promise.reject(new Error("not passed on")),
        call: async (_region, given) => {
          const params = Object.fromEntries(new URLSearchParams(given));
          calls.push(params);
          const error = fails(params);
          if (error) throw error;
          const lifecycle = params["InstanceMarketOptions.MarketType"] === "spot" ? "<instanceLifecycle>spot</instanceLifecycle>" : "";
          const zone = params["Placement.AvailabilityZone"] ?? "us-east-1a";
          const item = () =>
            `<item><instanceId>i-${nextId()}</instanceId><instanceType>${params["InstanceType"]}</instanceType>${lifecycle}` +
            `<placement><availabilityZone>${zone}</availabilityZone></placement>${more}</item>`;
          return readXml(`<r><instancesSet>${Array.from({ length: Number(params["MinCount"] ?? 0) }, item).join("")}</instancesSet></r>`);
        },
      },
      log: (line) => {
        expectLine(line);
        lines.push(line);
      },
      now: () => 0,
      begin: ({ id }) => void begun.push(id),
    };
    const fleet = await createFleet(maker, parseFleetRequest(form), "us-east-1");
    const root = readXml(String(fleet.response.body));
    const show = (item: Element) => ({
      market: textAt(item, "lifecycle"),
      template: textAt(item, "launchTemplateAndOverrides", "launchTemplateSpecification", "launchTemplateName"),
      type: textAt(item, "launchTemplateAndOverrides", "overrides", "instanceType"),
    });
    return {
      fleet,
      calls,
      begun,
      lines,
      capacity,
      root,
      errors: items(root, "errorSet").map((item) => ({ ...show(item), code: textAt(item, "errorCode") })),
      sets: items(root, "fleetInstanceSet").map((item) => ({
        ...show(item),
        zone: textAt(item, "availabilityZone"),
        ids: items(item, "instanceIds").map(({ text }) => text),
      })),
    };
  }
  const two = [
    ["g5.xlarge", "us-east-1a"],
    ["g5.2xlarge", "us-east-1b"],
  ] as const;
  const total = (count: number, market = "spot"): Form => ({
    "TargetCapacitySpecification.TotalTargetCapacity": String(count),
    "TargetCapacitySpecification.DefaultTargetCapacityType": market,
  });

  it("the cheapest offer is launched, with the tags of the request and of the fleet, and no error is reported for the others", async () => {
    const tags = {
      "TagSpecification.1.ResourceType": "instance",
      "TagSpecification.1.Tag.1.Key": "a",
      "TagSpecification.1.Tag.1.Value": "b",
    };
    const { fleet, calls, begun, errors, sets, root } = await made(formOf(two, { ...total(2), ...tags }));
    expect(sets).toEqual([{ market: "spot", template: undefined, type: "g5.xlarge", zone: "us-east-1a", ids: ["i-1", "i-2"] }]);
    expect([errors, begun, fleet.errors]).toEqual([[], ["i-1", "i-2"], []]);
    expect(fleet.instances.map(({ id }) => id)).toEqual(["i-1", "i-2"]);
    const fleetId = textAt(root, "fleetId");
    expect(fleetId).toMatch(/^fleet-[0-9a-f-]{36}$/);
    expect(calls).toHaveLength(1);
    expect(Object.values(calls[0] ?? {})).toEqual(expect.arrayContaining(["a", "b", "aws:ec2:fleet-id", fleetId]));
  });

  it("what was launched and each error repeat their override and their template", async () => {
    const all = { MaxPrice: "9", SubnetId: "subnet-1", WeightedCapacity: "1", Priority: "2" };
    const places = [
      ["g5.xlarge", "us-east-1a", all],
      ["g5.xlarge", "us-east-1z"],
    ] as const;
    const version = { "LaunchTemplateConfigs.1.LaunchTemplateSpecification.Version": "$Latest" };
    const tags = ["id=lt-1", "version=3"].map((tag) => tag.split("="));
    const tagSet = tags.map(([key, value]) => `<item><key>aws:ec2launchtemplate:${key}</key><value>${value}</value></item>`).join("");
    const { root } = await made(formOf(places, { ...total(1), ...version }), { more: `<tagSet>${tagSet}</tagSet>` });
    const shown = (item: Element | undefined, part: string) =>
      Object.fromEntries((find(item, "launchTemplateAndOverrides", part)?.children ?? []).map(({ name, text }) => [name, text]));
    const [launched] = items(root, "fleetInstanceSet");
    expect(shown(launched, "launchTemplateSpecification")).toEqual({ launchTemplateId: "lt-1", version: "3" });
    expect(shown(launched, "overrides")).toEqual({
      instanceType: "g5.xlarge",
      maxPrice: "9",
      subnetId: "subnet-1",
      availabilityZone: "us-east-1a",
      weightedCapacity: "1",
      priority: "2",
    });
    expect(["lifecycle", "instanceType", "availabilityZone", "subnetId"].map((name) => textAt(launched, name))).toEqual([
      "spot",
      "g5.xlarge",
      "us-east-1a",
      "subnet-1",
    ]);
    const [error] = items(root, "errorSet");
    expect(shown(error, "launchTemplateSpecification")).toEqual({ launchTemplateName: "node", version: "$Latest" });
    expect(shown(error, "overrides")).toEqual({ instanceType: "g5.xlarge", availabilityZone: "us-east-1z" });
    expect(textAt(error, "lifecycle")).toBe("spot");
  });

  it("the next offer is launched where the first one runs short, and the short one is reported", async () => {
    const { sets, errors, fleet } = await made(formOf(two, total(3)), {
      capacity: { "g5.xlarge/us-east-1a/spot": 1, "g5.2xlarge/us-east-1b/spot": 1 },
    });
    expect(sets.map(({ type, ids }) => [type, ids.length])).toEqual([
      ["g5.xlarge", 1],
      ["g5.2xlarge", 1],
    ]);
    expect(errors.map(({ type, code }) => [type, code])).toEqual([
      ["g5.xlarge", "UnfulfillableCapacity"],
      ["g5.2xlarge", "UnfulfillableCapacity"],
    ]);
    expect(fleet.errors.map(({ code }) => code)).toEqual(["UnfulfillableCapacity", "UnfulfillableCapacity"]);
  });

  it("an on-demand offer without room is reported although another one fills the target, and a spot offer is not", async () => {
    const capacity = { "g5.xlarge/us-east-1a/on-demand": 0, "g5.xlarge/us-east-1a/spot": 0 };
    expect((await made(formOf(two, total(1, "on-demand")), { capacity })).errors).toEqual([
      { market: "on-demand", template: "node", type: "g5.xlarge", code: "InsufficientInstanceCapacity" },
    ]);
    expect((await made(formOf(two, total(1)), { capacity })).errors).toEqual([]);
  });

  it("an offer that does not exist in its zone is reported, and the others are launched", async () => {
    const { sets, errors } = await made(formOf([["g5.xlarge", "us-east-1z"], ...two.slice(1)], total(1)));
    expect([sets.map(({ type }) => type), errors.map(({ code }) => code)]).toEqual([["g5.2xlarge"], ["InvalidFleetConfiguration"]]);
  });

  it.each([
    ["1", 0],
    ["2", 1],
  ])("a fleet below its minimum of %s launches nothing", async (minimum, room) => {
    const options = { "SpotOptions.SingleInstanceType": "true", "SpotOptions.MinTargetCapacity": minimum };
    const { sets, errors, calls } = await made(formOf([["g5.xlarge", "us-east-1a"]], { ...total(2), ...options }), {
      capacity: { "g5.xlarge/us-east-1a/spot": room },
    });
    expect([sets, calls]).toEqual([[], []]);
    expect(errors.map(({ code }) => code)).toEqual(["InsufficientInstanceCapacity"]);
  });

  it("what was launched is terminated if the rest of a fleet with a minimum fails", async () => {
    const options = { "SpotOptions.SingleInstanceType": "true", "SpotOptions.MinTargetCapacity": "2" };
    const places = [
      ["g5.xlarge", "us-east-1a"],
      ["g5.xlarge", "us-east-1b"],
    ] as const;
    const { sets, errors, calls, begun, capacity } = await made(formOf(places, { ...total(2), ...options }), {
      capacity: { "g5.xlarge/us-east-1a/spot": 1, "g5.xlarge/us-east-1b/spot": 1 },
      fails: (form) => (form["Placement.AvailabilityZone"] === "us-east-1b" ? new Ec2Error("Unsupported", "no") : undefined),
    });
    expect([sets, begun, errors.map(({ code }) => code)]).toEqual([[], [], ["Unsupported"]]);
    expect(calls.at(-1)).toEqual({ Action: "TerminateInstances", "InstanceId.1": "i-1" });
    for (const zone of ["us-east-1a", "us-east-1b"]) expect(capacity.room({ instanceType: "g5.xlarge", zone, market: "spot" })).toBe(1);
  });

  it("a place that fails is an error in addition to what was launched, and gives its capacity back", async () => {
    const capacity = { "g5.xlarge/us-east-1a/spot": 1, "g5.2xlarge/us-east-1b/spot": 1 };
    const thrown = new Error("connection reset");
    const fails = (form: Form) => (form["InstanceType"] === "g5.2xlarge" ? thrown : undefined);
    const { sets, errors, lines, capacity: left } = await made(formOf(two, total(2)), { capacity, fails });
    expect([sets.map(({ type }) => type), errors.map(({ code }) => code)]).toEqual([["g5.xlarge"], ["InternalError"]]);
    expect(lines).toEqual([
      { message: "instances not launched", offer: { instanceType: "g5.2xlarge", zone: "us-east-1b", market: "spot" }, error: thrown },
    ]);
    expect(left.room({ instanceType: "g5.2xlarge", zone: "us-east-1b", market: "spot" })).toBe(1);
  });

  it("a fleet of which nothing could be launched because of an internal error fails", async () => {
    const failing = made(formOf(two.slice(0, 1), total(1)), { fails: () => new Error("connection reset") });
    await expect(failing).rejects.toMatchObject({ code: "InternalError", status: 500, message: "connection reset" });
  });

  it("both markets are launched if both are asked for, on-demand first", async () => {
    const both = { "TargetCapacitySpecification.OnDemandTargetCapacity": "1", "TargetCapacitySpecification.SpotTargetCapacity": "2" };
    const { sets } = await made(formOf(two, { ...total(3), ...both }));
    expect(sets.map(({ market, ids }) => [market, ids.length])).toEqual([
      ["on-demand", 1],
      ["spot", 2],
    ]);
  });

  it("a weight counts towards the target, and a priority decides if the strategy asks for it", async () => {
    const weighted = [["g5.xlarge", "us-east-1a", { WeightedCapacity: "2" }]] as const;
    expect((await made(formOf(weighted, total(3)))).sets.map(({ ids }) => ids.length)).toEqual([2]);
    const prioritized = [
      ["g5.xlarge", "us-east-1a", { Priority: "2" }],
      ["g5.2xlarge", "us-east-1b", { Priority: "1" }],
    ] as const;
    const options = { "OnDemandOptions.AllocationStrategy": "prioritized" };
    expect((await made(formOf(prioritized, { ...total(1, "on-demand"), ...options }))).sets.map(({ type }) => type)).toEqual([
      "g5.2xlarge",
    ]);
    expect((await made(formOf(prioritized, total(1, "on-demand")))).sets.map(({ type }) => type)).toEqual(["g5.xlarge"]);
  });

  it("an offer that is refused, or dearer than the request allows, is not launched", async () => {
    const dear = [["g5.xlarge", "us-east-1a", { MaxPrice: "0.001" }]] as const;
    const { sets, errors, root } = await made(formOf(dear, total(1)));
    expect([sets, errors.map(({ code }) => code)]).toEqual([[], ["SpotMaxPriceTooLow"]]);
    const [error] = items(root, "errorSet");
    expect(textAt(error, "launchTemplateAndOverrides", "overrides", "maxPrice")).toBe("0.001");
    expect(textAt(error, "errorMessage")).toContain("lower than the minimum required Spot request fulfillment price");
  });

  it("a subnet decides the zone, and a place without either is refused", async () => {
    const bySubnet = new URLSearchParams(
      [...formOf([["g5.xlarge", "x"]], total(1))].filter(([name]) => !name.endsWith("AvailabilityZone")),
    );
    await expect(made(bySubnet)).rejects.toMatchObject({
      code: "InvalidParameterValue",
      message: "An override must name a subnet or a zone",
    });
    bySubnet.set("LaunchTemplateConfigs.1.Overrides.1.SubnetId", "subnet-2");
    const { sets, calls, root } = await made(bySubnet);
    expect(sets[0]?.zone).toBe("us-east-1b");
    expect(calls[0]).toMatchObject({ SubnetId: "subnet-2" });
    expect(textAt(items(root, "fleetInstanceSet")[0], "subnetId")).toBe("subnet-2");
  });
});
