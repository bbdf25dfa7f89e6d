import { describe, expect, it } from "vitest";
import type { JobFilter } from "../../../lib/ports/jobs.ts";
import { aJob, monday } from "../../fakes/builders.ts";
import { admitted, begin, type MakeLedger } from "./arrange.ts";

export const jobReaderContract = (make: MakeLedger) =>
  describe("job reader", () => {
    it("a job is found by its name, and nothing is found under an unused name", async () => {
      const ledger = await make();
      const { job } = await admitted(ledger);
      expect(await ledger.jobReader.get(job)).toEqual(job);
      expect(await ledger.jobReader.get({ team: "vision", job: "other" })).toBeUndefined();
    });

    it("a team's jobs are listed newest first, page by page", async () => {
      const ledger = await make();
      for (let n = 0; n < 25; n += 1) await admitted(ledger, { job: `job-${n}`, submittedAtMs: monday + (n % 5) * 1000 });
      await admitted(ledger, { team: "speech", job: "not-theirs" });
      const names: string[] = [];
      const sizes: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await ledger.jobReader.list({ team: "vision", limit: 10, cursor });
        names.push(...page.jobs.map((job) => job.job));
        sizes.push(page.jobs.length);
        cursor = page.cursor;
      } while (cursor);
      expect(sizes).toEqual([10, 10, 5]);
      expect(new Set(names).size).toBe(25);
      const times = names.map((name) => Number(name.slice(4)) % 5);
      expect(times).toEqual([...times].sort((a, b) => b - a));
    });

    it("a page that is exactly full has no cursor if it is the last one", async () => {
      const ledger = await make();
      for (let n = 0; n < 4; n += 1) await admitted(ledger, { job: `job-${n}` });
      expect((await ledger.jobReader.list({ team: "vision", limit: 4 })).cursor).toBeUndefined();
    });

    it("the jobs in a state are listed page by page", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      for (let n = 0; n < 12; n += 1) {
        const { job } = await admitted(ledger, { job: `job-${n}`, submittedAtMs: monday + n });
        if (n % 3 === 0) await ledger.placements.fail(fence, { attempt: job, failure: "never-fits", reason: "no", atMs: monday });
      }
      const first = await ledger.jobReader.list({ team: "vision", states: ["failed"], limit: 3 });
      expect(first.jobs.map((job) => job.job)).toEqual(["job-9", "job-6", "job-3"]);
      const second = await ledger.jobReader.list({ team: "vision", states: ["failed"], limit: 3, cursor: first.cursor });
      expect(second).toEqual({ jobs: [expect.objectContaining({ job: "job-0", state: "failed" })] });
      expect(await ledger.jobReader.list({ team: "vision", states: ["cancelled"], limit: 3 })).toEqual({ jobs: [] });
    });

    it("the jobs that match a name, a pool and a time are listed page by page", async () => {
      const ledger = await make();
      for (let n = 0; n < 12; n += 1) {
        const pool = n % 2 === 0 ? "gpu" : "big";
        await admitted(ledger, { job: `${n % 3 === 0 ? "sweep" : "train"}-${n}`, pool, submittedAtMs: monday + n * 1000 });
      }
      const list = async (filter: JobFilter) =>
        (await ledger.jobReader.list({ team: "vision", limit: 20, ...filter })).jobs.map(({ job }) => job);
      expect(await list({ name: "sweep-*" })).toEqual(["sweep-9", "sweep-6", "sweep-3", "sweep-0"]);
      expect(await list({ name: "*-1?" })).toEqual(["train-11", "train-10"]);
      expect(await list({ name: "s*-?", pool: "big" })).toEqual(["sweep-9", "sweep-3"]);
      expect(await list({ sinceMs: monday + 9_000 })).toEqual(["train-11", "train-10", "sweep-9"]);
      expect(await list({ beforeMs: monday + 2_000 })).toEqual(["train-1", "sweep-0"]);
      expect(await list({ sinceMs: monday + 2_000, beforeMs: monday + 4_000 })).toEqual(["sweep-3", "train-2"]);
      expect(await list({ sinceMs: monday + 4_000, beforeMs: monday + 2_000 })).toEqual([]);
      const { cursor } = await ledger.jobReader.list({ team: "vision", sinceMs: monday + 8_000, limit: 2 });
      const next = await ledger.jobReader.list({ team: "vision", sinceMs: monday + 8_000, limit: 2, cursor });
      expect(next.jobs.map(({ job }) => job)).toEqual(["sweep-9", "train-8"]);
      expect(next.cursor).toBeUndefined();
      const outside = ledger.jobReader.list({ team: "vision", sinceMs: monday + 11_000, limit: 2, cursor });
      await expect(outside).rejects.toMatchObject({ code: "cursor" });
    });

    it("jobs of several days are listed newest first, page by page, whatever the filter", async () => {
      const ledger = await make();
      const dayMs = 86_400_000;
      // More days than one page looks at. The first four have two jobs each.
      const dayOf = (n: number): number => (n < 8 ? Math.floor(n / 2) : n - 4);
      const atMs = (n: number): number => monday - dayOf(n) * dayMs - n;
      const all = Array.from({ length: 48 }, (_, n) => `${n % 47 === 0 ? "rare" : "train"}-${String(n).padStart(2, "0")}`);
      await Promise.all(all.map((job, n) => admitted(ledger, { job, submittedAtMs: atMs(n) })));
      const list = async (filter: JobFilter & { limit: number }): Promise<readonly string[]> => {
        const names: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await ledger.jobReader.list({ team: "vision", ...filter, cursor });
          expect(page.jobs.length).toBeLessThanOrEqual(filter.limit);
          names.push(...page.jobs.map(({ job }) => job));
          cursor = page.cursor;
        } while (cursor);
        return names;
      };
      expect(await list({ limit: 7 })).toEqual(all);
      expect(await list({ name: "rare-*", limit: 10 })).toEqual(["rare-00", "rare-47"]);
      expect(await list({ name: "rare-*", limit: 1 })).toEqual(["rare-00", "rare-47"]);
      expect(await list({ sinceMs: atMs(40), beforeMs: atMs(1), limit: 3 })).toEqual(all.slice(2, 41));
    });

    it("several jobs are found by name as they are now, without those that do not exist", async () => {
      const ledger = await make();
      const { job } = await admitted(ledger);
      const other = await admitted(ledger, { job: "other" });
      const named = (name: string) => ({ team: "vision", job: name });
      const found = await ledger.jobLookup.find([named("train-1"), named("nobody"), named("other"), named("train-1")]);
      expect([...found].toSorted()).toEqual([
        ["vision/other", other.job],
        ["vision/train-1", job],
      ]);
      const many = Array.from({ length: 99 }, (_, n) => named(`none-${n}`));
      expect([...(await ledger.jobLookup.find([...many, named("other")])).keys()]).toEqual(["vision/other"]);
      expect((await ledger.jobLookup.find([])).size).toBe(0);
    });

    it("an invalid cursor is refused", async () => {
      const ledger = await make();
      await admitted(ledger);
      await expect(ledger.jobReader.list({ team: "vision", limit: 10, cursor: "over there" })).rejects.toMatchObject({ code: "cursor" });
    });

    it("rejected jobs are listed too", async () => {
      const ledger = await make();
      await ledger.admissions.admit(aJob({ state: "rejected", spec: undefined, reason: "it is not JSON", endedAtMs: monday }));
      const { jobs } = await ledger.jobReader.list({ team: "vision", limit: 10 });
      expect(jobs).toMatchObject([{ state: "rejected", reason: "it is not JSON" }]);
    });
  });
