import { createHash } from "node:crypto";
import * as z from "zod";
import type { HttpCall, HttpResponse } from "../../requests/http.ts";
import { onDemandPrice, pricedRegion, pricedTypes } from "./on-demand-prices.ts";

const Filter = z.object({
  Type: z.enum(["TERM_MATCH", "EQUALS", "CONTAINS", "ANY_OF", "NONE_OF"]),
  Field: z.string(),
  Value: z.string(),
});

const GetProducts = z.object({
  ServiceCode: z.string(),
  Filters: z.array(Filter).default([]),
  FormatVersion: z.string().default("aws_v1"),
  MaxResults: z.int().min(1).max(100).default(100),
  NextToken: z.string().regex(/^\d+$/).optional(),
});

/** Handles a call to the Price List API, which supports only EC2's on-demand prices. */
export function pricingResponse(call: HttpCall): HttpResponse {
  const action = call.headers["x-amz-target"]?.split(".").at(-1);
  if (action !== "GetProducts") return failure("InvalidParameterException", `The local cloud does not support ${action ?? "this call"}`);
  const parsed = GetProducts.safeParse(jsonOf(call.body));
  if (!parsed.success) return failure("InvalidParameterException", z.prettifyError(parsed.error));
  const { ServiceCode, Filters, MaxResults, NextToken, FormatVersion } = parsed.data;
  if (ServiceCode !== "AmazonEC2") return failure("NotFoundException", `There is no service ${ServiceCode}`);

  const products = pricedTypes
    .map((instanceType) => ({ instanceType, attributes: attributesOf(instanceType) }))
    .filter(({ attributes }) => Filters.every((filter) => holds(filter, attributes[filter.Field])));
  const begin = Number(NextToken ?? 0);
  const end = begin + MaxResults;
  return json(200, {
    FormatVersion,
    PriceList: products.slice(begin, end).map((product) => JSON.stringify(listing(product.instanceType, product.attributes))),
    ...(end < products.length ? { NextToken: String(end) } : {}),
  });
}

function holds(filter: z.infer<typeof Filter>, value: string | undefined): boolean {
  const listed = filter.Value.split(",");
  switch (filter.Type) {
    case "TERM_MATCH":
    case "EQUALS":
      return value === filter.Value;
    case "CONTAINS":
      return value?.includes(filter.Value) ?? false;
    case "ANY_OF":
      return value !== undefined && listed.includes(value);
    case "NONE_OF":
      return value === undefined || !listed.includes(value);
  }
}

const attributesOf = (instanceType: string): Readonly<Record<string, string>> => ({
  servicecode: "AmazonEC2",
  servicename: "Amazon Elastic Compute Cloud",
  location: "US East (N. Virginia)",
  locationType: "AWS Region",
  regionCode: pricedRegion,
  instanceType,
  currentGeneration: "Yes",
  operatingSystem: "Linux",
  licenseModel: "No License required",
  preInstalledSw: "NA",
  tenancy: "Shared",
  capacitystatus: "Used",
  marketoption: "OnDemand",
  operation: "RunInstances",
  usagetype: `BoxUsage:${instanceType}`,
});

/** Returns a price-list document. Its shape is AWS's, but its codes are invented. */
function listing(instanceType: string, attributes: Readonly<Record<string, string>>): object {
  const sku = code(instanceType);
  const [termCode, rateCode] = ["JRTCKXETXF", "6YS6EN2CT7"];
  const term = `${sku}.${termCode}`;
  const rate = `${term}.${rateCode}`;
  const usd = (onDemandPrice(instanceType) ?? 0).toFixed(10);
  return {
    product: { productFamily: "Compute Instance", attributes, sku },
    serviceCode: "AmazonEC2",
    terms: {
      OnDemand: {
        [term]: {
          priceDimensions: {
            [rate]: {
              unit: "Hrs",
              endRange: "Inf",
              description: `$${usd} per On Demand Linux ${instanceType} Instance Hour`,
              appliesTo: [],
              rateCode: rate,
              beginRange: "0",
              pricePerUnit: { USD: usd },
            },
          },
          sku,
          effectiveDate: "2025-07-01T00:00:00Z",
          offerTermCode: termCode,
          termAttributes: {},
        },
      },
    },
    version: "20250701000000",
    publicationDate: "2025-07-01T00:00:00Z",
  };
}

const code = (text: string): string =>
  [...createHash("sha256").update(text).digest().subarray(0, 16)].map((byte) => "ABCDEFGHJKMNPQRSTUVWXYZ23456789"[byte % 31]).join("");

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    // The schema reports it as missing.
    return undefined;
  }
}

const json = (status: number, body: object): HttpResponse => ({
  status,
  headers: { "content-type": "application/x-amz-json-1.1" },
  body: JSON.stringify(body),
});

const failure = (type: string, message: string): HttpResponse => json(400, { __type: type, message });
