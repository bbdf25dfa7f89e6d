import { expect, test } from "vitest";
import { once } from "../../../lib/runtime/wire/once.ts";

test("what is loaded once is not loaded before the first call", async () => {
  let loads = 0;
  const load = once(async () => {
    loads += 1;
    return {};
  });
  expect(loads).toBe(0);
  await load();
  expect(loads).toBe(1);
});

test("calls at the same time and later calls share what was loaded", async () => {
  const load = once(async () => ({}));
  const [first, second] = await Promise.all([load(), load()]);
  expect(second).toBe(first);
  expect(await load()).toBe(first);
});
