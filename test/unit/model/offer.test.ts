import { expect, test } from "vitest";
import { regionOf } from "../../../lib/model/offer.ts";

test.each([
  ["us-east-1a", "us-east-1"],
  ["ap-southeast-2c", "ap-southeast-2"],
  ["us-gov-west-1b", "us-gov-west-1"],
  ["eusc-de-east-1a", "eusc-de-east-1"],
  ["us-west-2-lax-1a", "us-west-2"],
  ["us-east-1-wl1-bos-wlz-1", "us-east-1"],
  ["any", "any"],
  ["us-east-10", "us-east-10"],
])("the zone %s is in the region %s", (zone, region) => {
  expect(regionOf(zone)).toBe(region);
});
