import { expect, it } from "vitest";
import { inCheckout } from "../../../lib/cli/invocation/checkout.ts";

it("a command that needs the fleet's sources runs in a checkout", async () => {
  await expect(inCheckout("demo", false)).resolves.toBeUndefined();
});

it("a command that needs the fleet's sources is refused by the installed command, with the command to run instead", async () => {
  await expect(inCheckout("demo", true)).rejects.toMatchObject({
    name: "UsageError",
    message: expect.stringMatching(/"demo" needs Fleetwright's sources.*npm ci && npm run -s fleet demo/s),
  });
});
