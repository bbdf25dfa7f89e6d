import { expect, it } from "vitest";
import { cost, dollars, gib, gpus } from "../../../lib/model/values/amount.ts";

it.each([
  [40, "$40"],
  [0, "$0"],
  [2.58, "$2.58"],
  [1.5, "$1.50"],
  [16.288, "$16.29"],
  [0.5, "$0.50"],
  [0.526, "$0.526"],
  [0.30000000000000004, "$0.30"],
  [0.0004, "$0.0004"],
  [9.999, "$10"],
])("%d dollars are printed as %s", (usd, text) => {
  expect(dollars(usd)).toBe(text);
});

it("a cost is rounded up, so that it never seems to fit into a limit that it exceeds", () => {
  expect(cost(10.001)).toBe("$10.01");
  expect(cost(0.1 + 0.2)).toBe("$0.30");
  expect(cost(0.5001)).toBe("$0.501");
});

it("memory is rounded down to a tenth of a GiB, so that a job can ask for as much", () => {
  expect(gib(22.3515625)).toBe("22.3 GiB");
  expect(gib(14.72)).toBe("14.7 GiB");
  expect(gib(768)).toBe("768 GiB");
  expect(gib(0.3)).toBe("0.3 GiB");
});

it("a count of GPUs is in the singular only for one GPU", () => {
  expect([gpus(0), gpus(1), gpus(8)]).toEqual(["0 GPUs", "1 GPU", "8 GPUs"]);
});
