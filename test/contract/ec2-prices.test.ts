import { DescribeSpotPriceHistoryCommand } from "@aws-sdk/client-ec2";
import { GetProductsCommand } from "@aws-sdk/client-pricing";
import { describe, expect, it } from "vitest";
import { aCloud } from "./ec2-cloud.ts";

describe("prices of the local EC2", () => {
  it("on-demand prices are listed in the format of the price list", async () => {
    const { pricing } = await aCloud();
    const match = (Field: string, Value: string) => ({ Type: "TERM_MATCH" as const, Field, Value });
    const filters = [
      match("regionCode", "us-east-1"),
      match("operatingSystem", "Linux"),
      match("tenancy", "Shared"),
      match("preInstalledSw", "NA"),
      match("capacitystatus", "Used"),
    ];
    const { PriceList = [] } = await pricing.send(
      new GetProductsCommand({ ServiceCode: "AmazonEC2", Filters: [...filters, match("instanceType", "g5.xlarge")] }),
    );
    expect(PriceList).toHaveLength(1);
    const product = JSON.parse(String(PriceList[0]));
    const [term] = Object.values<{ priceDimensions: Record<string, { unit: string; pricePerUnit: { USD: string } }> }>(
      product.terms.OnDemand,
    );
    const [dimension] = Object.values(term?.priceDimensions ?? {});
    expect(dimension).toMatchObject({ unit: "Hrs", pricePerUnit: { USD: "1.0060000000" } });
    const none = await pricing.send(
      new GetProductsCommand({ ServiceCode: "AmazonEC2", Filters: [match("instanceType", "u-24tb1.metal")] }),
    );
    expect(none.PriceList).toEqual([]);

    const pages = [];
    let NextToken: string | undefined;
    do {
      const page = await pricing.send(
        new GetProductsCommand({
          ServiceCode: "AmazonEC2",
          Filters: filters,
          MaxResults: 30,
          ...(NextToken === undefined ? {} : { NextToken }),
        }),
      );
      pages.push(page.PriceList?.length);
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(pages).toEqual([30, 30, 7]);
  });

  it("spot prices are listed in pages, always the same ones, and far below on-demand prices", async () => {
    const { ec2 } = await aCloud();
    const fetchPage = async (NextToken?: string) =>
      ec2.send(
        new DescribeSpotPriceHistoryCommand({
          ProductDescriptions: ["Linux/UNIX"],
          InstanceTypes: ["g5.xlarge"],
          AvailabilityZone: "us-east-1a",
          StartTime: new Date(Date.now() - 48 * 3_600_000),
          MaxResults: 5,
          ...(NextToken === undefined ? {} : { NextToken }),
        }),
      );
    const first = await fetchPage();
    const second = await fetchPage(first.NextToken);
    const all = [...(first.SpotPriceHistory ?? []), ...(second.SpotPriceHistory ?? [])];
    expect(all).toHaveLength(7);
    expect(second.NextToken ?? "").toBe("");
    const times = all.map((one) => one.Timestamp?.getTime() ?? 0);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    for (const one of all) {
      expect(Number(one.SpotPrice)).toBeGreaterThan(1.006 * 0.24);
      expect(Number(one.SpotPrice)).toBeLessThan(1.006 * 0.46);
    }
    expect(await fetchPage()).toMatchObject({ SpotPriceHistory: first.SpotPriceHistory });
    const windows = await ec2.send(new DescribeSpotPriceHistoryCommand({ ProductDescriptions: ["Windows"], InstanceTypes: ["g5.xlarge"] }));
    expect(windows.SpotPriceHistory).toEqual([]);
  });
});
