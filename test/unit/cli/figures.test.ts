import { expect, it } from "vitest";
import { money, number, percent } from "../../../lib/cli/planning/figures.ts";

it.each([
  [0, "0"],
  [1_000_000, "1,000,000"],
  [12.345, "12.35"],
  [1.2345, "1.235"],
  [0.30881, "0.3088"],
  [0.000012345, "0.00001235"],
])("the number %d is printed as %s", (value, text) => expect(number(value)).toBe(text));

it.each([
  [111_000_000, "$111,000,000"],
  [31.3, "$31.30"],
  [0.526, "$0.526"],
  [0.5, "$0.50"],
  [-2, "-$2"],
])("an amount of %d dollars is printed as %s", (value, text) => expect(money(value)).toBe(text));

it("a fraction is printed as a percentage", () => expect(percent(0.03254)).toBe("3.25 %"));
