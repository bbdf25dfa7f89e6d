import { expect, test } from "vitest";
import { onDemandPrice, pricedTypes } from "../../../lib/local/ec2/offers/on-demand-prices.ts";
import { pricingResponse } from "../../../lib/local/ec2/offers/pricing.ts";

/** Calls the Price List API. Returns the response with its price list parsed. */
function call(given: object | string, action = "GetProducts") {
  const body = Buffer.from(typeof given === "string" ? given : JSON.stringify(given));
  const response = pricingResponse({ method: "POST", path: "/", headers: { "x-amz-target": `AWSPriceListService.${action}` }, body });
  const { PriceList = [], ...rest } = JSON.parse(String(response.body));
  return { status: response.status, headers: response.headers, rest, list: PriceList.map((each: string) => JSON.parse(each)) };
}
const typesOf = (given: object): readonly string[] =>
  call({ ServiceCode: "AmazonEC2", ...given }).list.map(
    (each: { product: { attributes: { instanceType: string } } }) => each.product.attributes.instanceType,
  );
const filter = (Type: string, Value: string, Field = "instanceType") => ({ Type, Field, Value });

test("a price has the shape of AWS's document", () => {
  const { status, headers, rest, list } = call({ ServiceCode: "AmazonEC2", Filters: [filter("TERM_MATCH", "g5.xlarge")] });
  expect([status, headers, rest]).toEqual([200, { "content-type": "application/x-amz-json-1.1" }, { FormatVersion: "aws_v1" }]);
  const [{ product, terms, ...others }] = list;
  const usd = onDemandPrice("g5.xlarge")?.toFixed(10);
  expect(product).toEqual({
    productFamily: "Compute Instance",
    sku: expect.stringMatching(/^[A-Z2-9]{16}$/),
    attributes: {
      servicecode: "AmazonEC2",
      servicename: "Amazon Elastic Compute Cloud",
      location: "US East (N. Virginia)",
      locationType: "AWS Region",
      regionCode: "us-east-1",
      instanceType: "g5.xlarge",
      currentGeneration: "Yes",
      operatingSystem: "Linux",
      licenseModel: "No License required",
      preInstalledSw: "NA",
      tenancy: "Shared",
      capacitystatus: "Used",
      marketoption: "OnDemand",
      operation: "RunInstances",
      usagetype: "BoxUsage:g5.xlarge",
    },
  });
  const { sku } = product;
  const rateCode = `${sku}.JRTCKXETXF.6YS6EN2CT7`;
  const dimension = {
    unit: "Hrs",
    endRange: "Inf",
    description: `$${usd} per On Demand Linux g5.xlarge Instance Hour`,
    appliesTo: [],
    rateCode,
    beginRange: "0",
    pricePerUnit: { USD: usd },
  };
  const term = { sku, effectiveDate: "2025-07-01T00:00:00Z", offerTermCode: "JRTCKXETXF", termAttributes: {} };
  expect(terms).toEqual({ OnDemand: { [`${sku}.JRTCKXETXF`]: { ...term, priceDimensions: { [rateCode]: dimension } } } });
  expect(others).toEqual({ serviceCode: "AmazonEC2", version: "20250701000000", publicationDate: "2025-07-01T00:00:00Z" });
});

test("prices are returned in pages, and the last page has no token", () => {
  const pageOf = (more: object) => call({ ServiceCode: "AmazonEC2", MaxResults: 2, ...more });
  const seen: unknown[] = [];
  let token: string | undefined;
  do {
    const { rest, list } = pageOf(token === undefined ? {} : { NextToken: token });
    expect(list.length).toBe(Math.min(2, pricedTypes.length - seen.length));
    seen.push(...list);
    token = rest.NextToken;
  } while (token !== undefined);
  expect(seen).toEqual(call({ ServiceCode: "AmazonEC2" }).list);
  expect(seen).toHaveLength(pricedTypes.length);
  expect(pageOf({ NextToken: String(pricedTypes.length - 2) }).rest.NextToken).toBeUndefined();
  expect(call({ ServiceCode: "AmazonEC2", MaxResults: 1 }).list).toHaveLength(1);
});

test("a price is returned only if it meets all filters", () => {
  const [one = "", other = ""] = pricedTypes;
  expect(typesOf({ Filters: [filter("EQUALS", one)] })).toEqual([one]);
  expect(typesOf({ Filters: [filter("ANY_OF", `${one},${other}`)] })).toEqual([one, other]);
  expect(typesOf({ Filters: [filter("ANY_OF", one), filter("EQUALS", other)] })).toEqual([]);
  expect(typesOf({ Filters: [filter("NONE_OF", `${one},${other}`)] })).toEqual(pricedTypes.slice(2));
  expect(typesOf({ Filters: [filter("CONTAINS", "g5.")] })).toEqual(pricedTypes.filter((type) => type.includes("g5.")));
  for (const [type, count] of [
    ["ANY_OF", 0],
    ["CONTAINS", 0],
    ["EQUALS", 0],
    ["NONE_OF", pricedTypes.length],
  ] as const)
    expect(typesOf({ Filters: [filter(type, "x", "nothing")] })).toHaveLength(count);
});

test.each([
  ["another action", {}, "DescribeServices", "InvalidParameterException", /does not support DescribeServices/],
  ["another service", { ServiceCode: "AmazonS3" }, "GetProducts", "NotFoundException", /no service AmazonS3/],
  ["too many results", { ServiceCode: "AmazonEC2", MaxResults: 101 }, "GetProducts", "InvalidParameterException", /MaxResults/],
  ["no results", { ServiceCode: "AmazonEC2", MaxResults: 0 }, "GetProducts", "InvalidParameterException", /MaxResults/],
  ["a token of another API", { ServiceCode: "AmazonEC2", NextToken: "x" }, "GetProducts", "InvalidParameterException", /NextToken/],
  ["text that is not JSON", "{", "GetProducts", "InvalidParameterException", /./],
] as const)("the Price List API refuses %s", (_, given, action, type, message) => {
  const { status, rest } = call(given, action);
  expect([status, rest.__type]).toEqual([400, type]);
  expect(rest.message).toMatch(message);
});
