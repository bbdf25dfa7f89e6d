import { describe, expect, test } from "vitest";
import type { JobAccess } from "../../../lib/ports/job-access.ts";

export function jobAccessContract(name: string, make: () => JobAccess): void {
  describe(`job access: ${name}`, () => {
    test("every attempt gets its own credentials, valid for about an hour", async () => {
      const access = make();
      const before = Date.now();
      const [first, second] = [
        await access.credentials({ team: "vision", job: "train-1", attempt: 1 }),
        await access.credentials({ team: "vision", job: "train-1", attempt: 2 }),
      ];
      expect(first.accessKeyId).not.toBe(second.accessKeyId);
      for (const given of [first, second]) {
        expect(given.sessionToken).not.toBe("");
        expect(given.expiresAtMs - before).toBeGreaterThan(55 * 60_000);
        expect(given.expiresAtMs - before).toBeLessThan(65 * 60_000);
      }
    });

    test("credentials are available for the longest names", async () => {
      const given = await make().credentials({ team: `t${"x".repeat(29)}`, job: `j${"y".repeat(99)}`, attempt: 123_456 });
      expect(given.secretAccessKey).not.toBe("");
    });
  });
}
