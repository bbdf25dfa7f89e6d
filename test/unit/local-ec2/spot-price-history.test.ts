import { describe, expect, it } from "vitest";
import { items, readXml, textAt } from "../../../lib/local/ec2/moto/xml-document.ts";
import { describeSpotPriceHistory, spotPrice } from "../../../lib/local/ec2/offers/spot-prices.ts";

const slotMs = 8 * 3_600_000;
const nowMs = Date.UTC(2026, 5, 1, 9);
const places = [
  { instanceType: "g5.xlarge", zone: "us-east-1a" },
  { instanceType: "g5.xlarge", zone: "us-east-1b" },
  { instanceType: "g6.xlarge", zone: "us-east-1a" },
];

async function history(asked: Readonly<Record<string, string>>, offered: readonly (typeof places)[number][] = places) {
  const offerings = { pricedPlaces: async () => offered, check: async () => "offered" as const, zoneOf: async () => "" };
  const moto = { pass: () => Promise.reject(new Error("moto")), call: () => Promise.reject(new Error("moto")) };
  const { status, body } = await describeSpotPriceHistory({ moto, offerings, seed: 1 }, new URLSearchParams(asked), {
    region: "us-east-1",
    nowMs,
  });
  const root = readXml(String(body));
  const rows = items(root, "spotPriceHistorySet").map((item) => ({
    type: textAt(item, "instanceType"),
    zone: textAt(item, "availabilityZone"),
    at: textAt(item, "timestamp"),
    price: textAt(item, "spotPrice"),
    product: textAt(item, "productDescription"),
  }));
  return { status, rows, next: textAt(root, "nextToken") };
}
const iso = (ms: number): string => new Date(ms).toISOString();
const now = { StartTime: iso(nowMs) };

describe("the history of spot prices", () => {
  it("the price at the start of the requested time and all later changes are listed, newest first", async () => {
    const { status, rows, next } = await history({ StartTime: iso(nowMs - slotMs), "InstanceType.1": "g6.xlarge" });
    expect(status).toBe(200);
    const [newest, older] = [Date.UTC(2026, 5, 1, 8), Date.UTC(2026, 5, 1, 0)];
    const row = (atMs: number) => {
      const place = { instanceType: "g6.xlarge", zone: "us-east-1a" };
      const price = (spotPrice(1, { ...place, atMs }) ?? 0).toFixed(6);
      return { type: "g6.xlarge", zone: "us-east-1a", at: iso(atMs), price, product: "Linux/UNIX" };
    };
    expect(rows).toEqual([row(newest), row(older)]);
    expect(next).toBe("");
  });

  it("times may be in any time zone", async () => {
    const at = async (asked: Readonly<Record<string, string>>) =>
      (await history({ "InstanceType.1": "g6.xlarge", ...asked })).rows.map((row) => row.at);
    const utc = { StartTime: "2026-05-31T09:00:00Z", EndTime: "2026-06-01T07:00:00Z" };
    const elsewhere = { StartTime: "2026-05-31T11:00:00+02:00", EndTime: "2026-05-31T23:00:00-08:00" };
    expect(await at(utc)).toEqual(["2026-06-01T00:00:00.000Z", "2026-05-31T16:00:00.000Z", "2026-05-31T08:00:00.000Z"]);
    expect(await at(elsewhere)).toEqual(await at(utc));
  });

  it("changes after the end of the requested time, or in the future, are not listed", async () => {
    const at = async (asked: object) => (await history({ "InstanceType.1": "g6.xlarge", ...asked })).rows.map((row) => row.at);
    expect(await at({ StartTime: iso(nowMs - slotMs), EndTime: iso(nowMs - slotMs) })).toEqual([iso(Date.UTC(2026, 5, 1, 0))]);
    expect(await at({ StartTime: iso(nowMs + 10 * slotMs), EndTime: iso(nowMs + 20 * slotMs) })).toEqual([iso(Date.UTC(2026, 5, 1, 8))]);
    expect(await at({ StartTime: iso(nowMs), EndTime: iso(nowMs - slotMs) })).toEqual([]);
  });

  it("the history is 90 days long", async () => {
    const { rows } = await history({ "InstanceType.1": "g6.xlarge" });
    expect(rows).toHaveLength(271);
    expect(rows.at(-1)?.at).toBe(iso(Date.UTC(2026, 5, 1, 8) - 270 * slotMs));
  });

  it("the history is listed in pages of the requested size, with a token for the next one", async () => {
    const first = await history({ ...now, MaxResults: "2" });
    expect([first.rows.length, first.next]).toEqual([2, "2"]);
    const second = await history({ ...now, MaxResults: "2", NextToken: "2" });
    expect([second.rows.length, second.next]).toEqual([1, ""]);
    expect([...first.rows, ...second.rows]).toEqual((await history(now)).rows);
    expect((await history({ ...now, NextToken: "9" })).rows).toEqual([]);
    const whole = await history({ MaxResults: "0" });
    expect([whole.rows.length, whole.next]).toEqual([813, ""]);
    const many = Array.from({ length: 5 }, (_, n) => ({ instanceType: "g5.xlarge", zone: `us-east-1${n}` }));
    const page = await history({ MaxResults: "2000" }, many);
    expect([page.rows.length, page.next]).toEqual([1_000, "1000"]);
  });

  it.each<[string, Readonly<Record<string, string>>, number]>([
    ["all places", {}, 3],
    ["a type", { "InstanceType.1": "g5.xlarge" }, 2],
    ["a zone", { AvailabilityZone: "us-east-1a" }, 2],
    ["a product", { "ProductDescription.1": "Linux/UNIX" }, 3],
    ["another product", { "ProductDescription.1": "Windows" }, 0],
    ["types with a wildcard", { "Filter.1.Name": "instance-type", "Filter.1.Value.1": "g6.*" }, 1],
    ["one of two zones", { "Filter.1.Name": "availability-zone", "Filter.1.Value.1": "x", "Filter.1.Value.2": "us-east-1b" }, 1],
    ["another product by a filter", { "Filter.1.Name": "product-description", "Filter.1.Value.1": "SUSE*" }, 0],
    [
      "a type and a zone",
      {
        "Filter.1.Name": "instance-type",
        "Filter.1.Value.1": "g5.xlarge",
        "Filter.2.Name": "availability-zone",
        "Filter.2.Value.1": "us-east-1a",
      },
      1,
    ],
    [
      "a type by its name and another one by a filter",
      { "InstanceType.1": "g5.xlarge", "Filter.1.Name": "instance-type", "Filter.1.Value.1": "g6.*" },
      0,
    ],
  ])("the history lists %s", async (_what, asked, count) => {
    expect((await history({ ...now, ...asked })).rows).toHaveLength(count);
  });

  it("a place without a price is not listed", async () => {
    expect((await history(now, [{ instanceType: "x9.large", zone: "us-east-1a" }])).rows).toEqual([]);
  });

  it.each([
    [{ "Filter.1.Name": "colour", "Filter.1.Value.1": "red" }, "The filter 'colour' is invalid"],
    [{ StartTime: "yesterday" }, "StartTime"],
    [{ NextToken: "-1" }, "NextToken"],
    [{ MaxResults: "-1" }, "MaxResults"],
  ])("a call that is not valid is refused: %j", async (asked, message) => {
    await expect(history(asked as unknown as Record<string, string>)).rejects.toThrow(message);
  });
});

it("the prices of a seed never change, because runs of the local cloud are compared", () => {
  const atMs = Date.UTC(2026, 0, 1);
  expect(places.map((place) => spotPrice(1, { ...place, atMs }))).toMatchInlineSnapshot(`
    [
      0.2793,
      0.4155,
      0.3114,
    ]
  `);
  expect(places.map((place) => spotPrice(2, { ...place, atMs: atMs + slotMs }))).toMatchInlineSnapshot(`
    [
      0.2711,
      0.319,
      0.3558,
    ]
  `);
});
