import { describe, expect, it } from "vitest";
import { expireItems } from "../../lib/sim/faults/expiry.ts";
import { memoryLedger } from "../../lib/sim/memory/ledger.ts";
import { aJob, monday } from "../fakes/builders.ts";
import { admitted, begin, placed } from "./suites/arrange.ts";
import { expiryContract } from "./suites/expiry.ts";
import { ledgerContract } from "./suites/ledger.ts";

describe("the ledger in memory", () => {
  ledgerContract(async () => memoryLedger());
  expiryContract(async () => {
    const ledger = memoryLedger();
    return { ledger, expire: async (byMs) => expireItems(ledger.table, byMs) };
  });
});

describe("faults of the ledger in memory", () => {
  it("a job reader that lags sees every job except the one that was written last", async () => {
    const ledger = memoryLedger({ lag: true });
    await admitted(ledger, { job: "first" });
    expect(await ledger.jobReader.get({ team: "vision", job: "first" })).toBeUndefined();
    await admitted(ledger, { job: "second" });
    expect((await ledger.jobReader.list({ team: "vision", limit: 10 })).jobs.map((job) => job.job)).toEqual(["first"]);
    expect(await ledger.sealing.get({ team: "vision", job: "second" })).toBeDefined();
  });

  it("a write whose response is lost takes effect, so that repeating it changes nothing", async () => {
    const ledger = memoryLedger();
    ledger.wire.loseResponseOf("admissions.admit");
    await expect(ledger.admissions.admit(aJob())).rejects.toMatchObject({ name: "FleetError", retry: true });
    expect(await ledger.admissions.admit(aJob())).toMatchObject({ kind: "same" });
    expect(ledger.wire.calls["admissions.admit"]).toBe(2);
  });

  it("a failure before the second call lets the first call through and writes nothing for the second", async () => {
    const ledger = memoryLedger();
    ledger.wire.failBefore("bell.ring", 2);
    await ledger.bell.ring("gpu", "job");
    await expect(ledger.bell.ring("gpu", "job")).rejects.toMatchObject({ retry: true });
    expect((await ledger.decisions.state("gpu")).bell).toBe(1);
  });

  it("something else can happen between two calls", async () => {
    const ledger = memoryLedger();
    const { fence, node } = await placed(ledger);
    ledger.wire.before("placements.fenceIdle", () => begin(ledger));
    expect(await ledger.placements.fenceIdle(fence, node.id, monday)).toBe("fenced");
  });
});
