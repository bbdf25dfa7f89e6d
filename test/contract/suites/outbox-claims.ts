import { describe, expect, it } from "vitest";
import { monday } from "../../fakes/builders.ts";
import type { MakeLedger } from "./arrange.ts";

/** Which outboxes a sweep has sent a message about. */
export const outboxClaimsContract = (make: MakeLedger) =>
  describe("claims of outboxes", () => {
    const outbox = { role: "AROAINSTANCEROLE", node: "i-0123456789abcdef0", team: "vision", job: "a", attempt: 1 };
    const hour = 3_600_000;

    it("an outbox can be claimed once, and again only after the claim has become old", async () => {
      const { outboxClaims } = await make();
      const claim = (atMs: number, over: Partial<typeof outbox> = {}) =>
        outboxClaims.claim({ ...outbox, ...over }, { beforeMs: atMs - hour, atMs });
      expect(await claim(monday)).toBe(true);
      expect(await claim(monday + hour)).toBe(false);
      expect(await claim(monday + hour, { attempt: 2 })).toBe(true);
      expect(await claim(monday + hour, { node: "i-0123456789abcdef1" })).toBe(true);
      expect(await claim(monday + hour + 1)).toBe(true);
      expect(await claim(monday + hour + 2)).toBe(false);
    });

    it("of several claims at the same time one succeeds", async () => {
      const { outboxClaims } = await make();
      const claims = await Promise.all([1, 2, 3].map(() => outboxClaims.claim(outbox, { beforeMs: monday - hour, atMs: monday })));
      expect(claims.filter(Boolean)).toHaveLength(1);
    });

    it("a claim that is given back can be claimed again", async () => {
      const { outboxClaims } = await make();
      const at = { beforeMs: monday - hour, atMs: monday };
      expect(await outboxClaims.claim(outbox, at)).toBe(true);
      await outboxClaims.release(outbox, monday - 1);
      expect(await outboxClaims.claim(outbox, at), "another's claim stays").toBe(false);
      await outboxClaims.release(outbox, monday);
      expect(await outboxClaims.claim(outbox, at)).toBe(true);
      await outboxClaims.release({ ...outbox, attempt: 9 }, monday);
    });
  });
