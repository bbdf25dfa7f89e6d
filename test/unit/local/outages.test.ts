import { describe, expect, test } from "vitest";
import { createOutages } from "../../../lib/local/outages.ts";

const fine = { status: 200, headers: {}, body: "fine" };

describe("an outage of the local cloud", () => {
  test("an outage of functions cuts and counts calls of functions until it ends, also those that were in progress", async () => {
    const outages = createOutages();
    const held = Promise.withResolvers<void>();
    const reached: string[] = [];
    const call = outages.cutting(async (name: string) => {
      reached.push(name);
      if (name === "slow") await held.promise;
      return fine;
    });
    expect(await call("before")).toBe(fine);
    const slow = call("slow");
    let ends = 0;
    const outage = outages.begin("functions", () => {
      ends += 1;
    });
    held.resolve();
    expect(await slow).toMatchObject({ cut: true });
    expect(await call("during")).toMatchObject({ cut: true });
    expect([outages.isOut("functions"), outages.isOut("table"), outages.isSilent("dynamodb")]).toEqual([true, false, false]);
    expect(outage.refused()).toBe(2);
    outage.end();
    outage.end();
    expect(await call("after")).toBe(fine);
    expect([reached, ends, outages.isOut("functions")]).toEqual([["before", "slow", "after"], 1, false]);
  });

  test("an outage of the table silences DynamoDB only, and functions respond", async () => {
    const outages = createOutages();
    expect(outages.isSilent("dynamodb")).toBe(false);
    const outage = outages.begin("table", () => undefined);
    expect(["dynamodb", "sqs", "s3"].map((service) => outages.isSilent(service))).toEqual([true, false, false]);
    expect(await outages.cutting(async () => fine)()).toBe(fine);
    expect(outage.refused()).toBe(1);
    outage.end();
    expect(outages.isSilent("dynamodb")).toBe(false);
  });

  test("a second outage is refused while there is one, and the end of an earlier one does not end it", () => {
    const outages = createOutages();
    const first = outages.begin("table", () => undefined);
    expect(() => outages.begin("functions", () => undefined)).toThrow("There is an outage of table already");
    first.end();
    outages.begin("functions", () => undefined);
    first.end();
    expect(outages.isOut("functions")).toBe(true);
  });
});
