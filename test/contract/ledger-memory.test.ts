import { describe, expect, it } from "vitest";
import { memoryLedger } from "../../lib/sim/memory/ledger.ts";
import { aJob, monday } from "../fakes/builders.ts";
import { admitted, begin, placed } from "./suites/arrange.ts";
import { ledgerContract } from "./suites/ledger.ts";

describe("the ledger in memory", () => {
  ledgerContract(async () => memoryLedger());
});

describe("what can befall the ledger in memory", () => {
  it("shows a reader that lags every job but the newest write", async () => {
    const ledger = memoryLedger({ lag: true });
    await admitted(ledger, { job: "first" });
    expect(await ledger.jobReader.get({ team: "vision", job: "first" })).toBeUndefined();
    await admitted(ledger, { job: "second" });
    expect((await ledger.jobReader.list({ team: "vision", limit: 10 })).jobs.map((job) => job.job)).toEqual(["first"]);
    expect(await ledger.sealing.get({ team: "vision", job: "second" })).toBeDefined();
  });

  it("loses an answer but not the write, so that a repeat is the same", async () => {
    const ledger = memoryLedger();
    ledger.wire.loseAnswerOf("admissions.admit");
    await expect(ledger.admissions.admit(aJob())).rejects.toMatchObject({ name: "Fault", retry: true });
    expect(await ledger.admissions.admit(aJob())).toMatchObject({ kind: "same" });
    expect(ledger.wire.calls["admissions.admit"]).toBe(2);
  });

  it("breaks off before the second call from now, and nothing is written", async () => {
    const ledger = memoryLedger();
    ledger.wire.failBefore("bell.ring", 2);
    await ledger.bell.ring("gpu", "job");
    await expect(ledger.bell.ring("gpu", "job")).rejects.toMatchObject({ retry: true });
    expect((await ledger.decisions.state("gpu")).bell).toBe(1);
  });

  it("lets something else happen in between", async () => {
    const ledger = memoryLedger();
    const { fence, node } = await placed(ledger);
    ledger.wire.before("placements.drain", () => begin(ledger));
    expect(await ledger.placements.drain(fence, node.id, monday)).toBe("fenced");
  });
});
