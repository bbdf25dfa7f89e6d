import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { uploadDataset } from "../../../lib/cli/commands/dataset-upload.ts";
import { cancel } from "../../../lib/cli/commands/jobs/cancel.ts";
import { cancelMany } from "../../../lib/cli/commands/jobs/cancel-many.ts";
import { follow } from "../../../lib/cli/commands/jobs/follow-logs.ts";
import { submit } from "../../../lib/cli/commands/jobs/submit.ts";
import { type JobFile, parseJob } from "../../../lib/cli/jobs/job-file.ts";
import type { Connection } from "../../../lib/cli/session/connection.ts";
import type { FleetApi } from "../../../lib/cli/session/fleet-api.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { aJob } from "../../fakes/builders.ts";
import { aDatasetView, aJobView, aLogPage, lines } from "./api-samples.ts";
import { aContext } from "./fake-api.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-at-once-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Returns work that takes a moment, and the greatest number of its calls that were under way together. */
function gauge() {
  const counts = { most: 0 };
  let busy = 0;
  const on =
    <A extends unknown[], R>(work: (...args: A) => R) =>
    async (...args: A): Promise<Awaited<R>> => {
      counts.most = Math.max(counts.most, ++busy);
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      busy -= 1;
      return await work(...args);
    };
  return { counts, on };
}
type On = ReturnType<typeof gauge>["on"];

const team = "research";
const jobFiles = (count: number, more: object = {}): JobFile[] =>
  Array.from({ length: count }, (_, n) => parseJob(`${n}.json`, JSON.stringify({ id: `job-${n}`, command: ["true"], ...more })));
const context = (api: Partial<FleetApi>, over: Partial<Connection> = {}) => {
  const { on, printed } = aContext({ url: "http://nowhere" });
  return { on: { ...on, connection: { ...on.connection, ...over, api: { ...on.connection.api, ...api } } }, printed };
};
/** A reader of `count` waiting jobs, which finds every job ended that it is asked for. */
const reader = (count: number): Connection["jobs"] => ({
  get: async ({ job }) => aJob({ team, job, state: "succeeded" }),
  list: async () => ({ jobs: Array.from({ length: count }, (_, n) => aJob({ team, job: `job-${n}` })) }),
  attempts: async () => ({ attempts: [] }),
});
const accepted: FleetApi["checkJobs"] = async (_team, jobs) => ({ items: jobs.map(() => ({ accepted: true })) });
const cancelled: FleetApi["cancelJobs"] = async (_team, { jobs }) => ({ items: jobs.map((job) => ({ job, outcome: "cancelled" })) });

const commands: Readonly<Record<string, { readonly most: number; readonly run: (on: On) => Promise<unknown> }>> = {
  "fleet cancel cancels 8 jobs at once": {
    most: 8,
    run: (on) =>
      cancel(
        Array.from({ length: 30 }, (_, n) => `job-${n}`),
        { team },
        context({ cancel: on(() => aJobView({ state: "cancelled" })) }).on,
      ),
  },
  "fleet cancel --state makes 4 calls at once": {
    most: 4,
    run: (on) => cancelMany({ team, state: "queued" }, context({ cancelJobs: on(cancelled) }, { jobs: reader(2_000) }).on),
  },
  "fleet submit makes 3 calls at once to check jobs": {
    most: 3,
    run: (on) => submit(jobFiles(1_000), { team }, context({ checkJobs: on(accepted) }).on),
  },
  "fleet submit --wait watches 20 jobs at once": {
    most: 20,
    run: (on) => {
      const jobs = { ...reader(0), get: on(({ job }: { job: string }) => aJob({ team, job, state: "succeeded" })) };
      return submit(jobFiles(50), { team, wait: true }, context({ checkJobs: accepted }, { jobs }).on);
    },
  },
  "fleet logs -f --rank all reads the logs of 8 members at once": {
    most: 8,
    run: (on) =>
      follow(
        "train-7",
        { team, rank: "all" },
        context({ logs: on(() => aLogPage({ members: 20, state: "succeeded" })) }, { jobs: reader(0) }).on,
      ),
  },
  "fleet dataset upload sends 8 files at once": {
    most: 8,
    run: async (on) => {
      for (let n = 0; n < 20; n++) await writeFile(join(folder, `${n}`), "x");
      const files: Connection["files"] = {
        list: async () => [],
        isSame: async () => false,
        put: on(() => undefined),
        remove: async () => [],
      };
      const { on: at } = context({ putDataset: async () => aDatasetView() }, { files });
      return uploadDataset("images", folder, { ...at, options: { team } });
    },
  },
};

describe("what a command does at once", () => {
  it.each(Object.entries(commands))("%s", async (_name, { most, run }) => {
    const { counts, on } = gauge();
    await run(on);
    expect(counts.most).toBe(most);
  });
});

describe("the jobs that a message names", () => {
  it.each([
    [10, []],
    [12, ["  and 2 more"]],
  ])("fleet submit names at most ten of %i jobs that the deployment refuses", async (count, more) => {
    const refused: FleetApi["checkJobs"] = async (_team, jobs) => ({ items: jobs.map(() => ({ accepted: false, because: "no GPU" })) });
    const names = Array.from({ length: 10 }, (_, n) => `  ${n}.json: no GPU`);
    await expect(submit(jobFiles(count), { team }, context({ checkJobs: refused }).on)).rejects.toMatchObject({
      message: [`${count} of the ${count} jobs cannot run; nothing was sent`, ...names, ...more].join("\n"),
    });
  });

  it.each([
    [10, []],
    [12, ["  and 2 more (--json names all)"]],
  ])("fleet submit names at most ten of %i jobs that could not be sent", async (count, more) => {
    const { on, printed } = context({ checkJobs: accepted });
    const sendAll: Connection["queue"]["sendAll"] = async (_team, bodies) =>
      bodies.map((_body, n) => (n < count ? { kind: "failed", error: new Error("throttled") } : { kind: "sent", messageId: "m" }));
    const connection = { ...on.connection, queue: { ...on.connection.queue, sendAll } };
    expect(await submit(jobFiles(20), { team }, { ...on, connection })).toBe(1);
    const names = Array.from({ length: 10 }, (_, n) => `  ${n}.json (job-${n}): throttled`);
    expect(printed.note.slice(0, 11 + more.length)).toEqual([`fleet: ${count} of 20 jobs could not be sent:`, ...names, ...more]);
  });

  it("fleet cancel --state names at most ten jobs that could not be cancelled", async () => {
    const failed: FleetApi["cancelJobs"] = async (_team, { jobs }) => ({
      items: jobs.map((job) => ({ job, outcome: "failed", because: "busy" })),
    });
    const { on, printed } = context({ cancelJobs: failed }, { jobs: reader(12) });
    expect(await cancelMany({ team, state: "queued" }, on)).toBe(1);
    expect(printed.out).toEqual(["no jobs of team research cancelled, 12 could not be cancelled"]);
    expect(printed.note).toEqual([
      ...Array.from({ length: 10 }, (_, n) => `fleet: job-${n}: busy`),
      "run the same command again to continue with the jobs that are left",
    ]);
  });

  it("fleet logs names at most five logs of which parts were left out", async () => {
    const text = "[fleetwright: 7 lines (1 KiB) were left out here; to read the whole log: fleet logs train-7 --whole]";
    const logs: FleetApi["logs"] = async ({ rank = 0, cursor }) =>
      aLogPage({ members: 7, state: "succeeded", cursor: "c", lines: cursor === undefined ? lines(`${text} ${rank}`.slice(0, -2)) : [] });
    const { on, printed } = context({ logs }, { jobs: reader(0) });
    expect(await follow("train-7", { team, rank: "all" }, on)).toBe(0);
    expect(printed.note.filter((line) => line.includes("left out"))).toEqual([
      "parts of the log of attempt 1 were left out; print all of it with: fleet logs train-7 --whole --attempt 1 --team research",
      ...[1, 2, 3, 4].map(
        (rank) =>
          `parts of the log of attempt 1, rank ${rank} were left out; print all of it with: fleet logs train-7 --whole --attempt 1 --rank ${rank} --team research`,
      ),
      "parts of 2 more logs were left out",
    ]);
  });
});

describe("a check of jobs before they are sent", () => {
  it("fleet submit checks at most a hundred jobs and a million bytes per call", async () => {
    const calls: number[] = [];
    const check: FleetApi["checkJobs"] = async (_team, jobs) => {
      calls.push(jobs.length);
      return accepted(_team, jobs);
    };
    const sized = (id: string): JobFile => {
      const of = (text: string) => parseJob(id, JSON.stringify({ id, command: ["true"], env: { A: text } }));
      return of("x".repeat(12_500 - Buffer.byteLength(of("").body)));
    };
    // Eighty jobs of 12,500 bytes are exactly a million bytes.
    const large = Array.from({ length: 81 }, (_, n) => sized(`job-${n}`));
    await submit(large, { team }, context({ checkJobs: check }).on);
    expect(calls).toEqual([80, 1]);
    calls.length = 0;
    await submit(jobFiles(101), { team }, context({ checkJobs: check }).on);
    expect(calls).toEqual([100, 1]);
  });

  it("fleet submit fails if the check fails for a reason that is not the API's", async () => {
    const broken: FleetApi["checkJobs"] = () => Promise.reject(new TypeError("a bug"));
    await expect(submit(jobFiles(2), { team }, context({ checkJobs: broken }).on)).rejects.toThrow("a bug");
    const down: FleetApi["checkJobs"] = () => Promise.reject(new FleetError("api-unreachable", "the API does not respond"));
    const { on, printed } = context({ checkJobs: down });
    expect(await submit(jobFiles(2), { team }, on)).toBe(0);
    expect(printed.note[0]).toBe("jobs are sent without a check, because the API could not be asked: the API does not respond");
  });
});
