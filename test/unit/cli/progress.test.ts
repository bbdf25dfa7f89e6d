import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { uploadDataset } from "../../../lib/cli/commands/dataset-upload.ts";
import { cancel } from "../../../lib/cli/commands/jobs/cancel.ts";
import { cancelMany } from "../../../lib/cli/commands/jobs/cancel-many.ts";
import { submit } from "../../../lib/cli/commands/jobs/submit.ts";
import { submitCommand } from "../../../lib/cli/commands/jobs/submit-command.ts";
import { parseJob } from "../../../lib/cli/jobs/job-file.ts";
import { withProgress } from "../../../lib/cli/terminal/progress.ts";
import { aDatasetView, aJobSummary, aJobView, aNodeView } from "./api-samples.ts";
import { aContext, type Called, type FakeApi, type FakeResponse, type Routes, startFakeApi } from "./fake-api.ts";

let api: FakeApi | undefined;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-progress-"));
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
});
afterEach(async () => {
  vi.useRealTimers();
  await api?.close();
  await rm(folder, { recursive: true });
});

const start = async (routes: Routes, over: Parameters<typeof aContext>[1] = {}) => {
  api = await startFakeApi(routes);
  return aContext(api, over);
};
/** Lets a second pass while a call is under way. */
const slow =
  (respond: (call: Called) => FakeResponse) =>
  (call: Called): FakeResponse => {
    vi.advanceTimersByTime(1_000);
    return respond(call);
  };
const team = "research";
const path = `/v1/teams/${team}/jobs`;
const Jobs = z.object({ jobs: z.array(z.unknown()) });
const allFit = ({ body }: Called): FakeResponse => ({
  body: { items: Jobs.parse(body).jobs.map(() => ({ accepted: true, pool: "gpu" })) },
});

describe("work that takes longer than a second", () => {
  it("work shows what is going on, its last detail and for how long, every second until it ends", async () => {
    const shown: (string | undefined)[] = [];
    const gate = Promise.withResolvers<number>();
    const done = withProgress({ progress: (line) => shown.push(line) }, "packing", (report) => {
      vi.advanceTimersByTime(999);
      expect(shown).toEqual([]);
      vi.advanceTimersByTime(1_501);
      report("3 files");
      report("4 files");
      vi.advanceTimersByTime(500);
      return gate.promise;
    });
    gate.resolve(7);
    expect(await done).toBe(7);
    vi.advanceTimersByTime(5_000);
    expect(shown).toEqual(["packing … 1 s", "packing … 2 s", "packing, 4 files … 3 s", undefined]);
  });

  it("work that fails clears its progress", async () => {
    const shown: (string | undefined)[] = [];
    await expect(withProgress({ progress: (line) => shown.push(line) }, "packing", () => Promise.reject(new Error("no")))).rejects.toThrow(
      "no",
    );
    vi.advanceTimersByTime(5_000);
    expect(shown).toEqual([undefined]);
  });
});

describe("the progress of a command", () => {
  it("fleet cancel --state shows how many jobs it has found and cancelled, without those that failed", async () => {
    const queued = { state: "queued", node: undefined, startedAt: undefined };
    const { on, progress } = await start({
      [`GET ${path}`]: slow(({ query }) => ({
        body: {
          items: Array.from({ length: 100 }, (_, n) => aJobSummary({ job: `job-${query["cursor"] ?? "0"}-${n}`, ...queued })),
          ...(query["cursor"] === undefined && { cursor: "1" }),
        },
      })),
      [`POST ${path}/cancel`]: slow(({ body }) => ({
        body: {
          items: z
            .object({ jobs: z.array(z.string()) })
            .parse(body)
            .jobs.map((job) => (job === "job-0-7" ? { job, outcome: "failed", because: "busy" } : { job, outcome: "cancelled" })),
        },
      })),
    });
    expect(await cancelMany({ team, state: "queued" }, on)).toBe(1);
    expect(progress.slice(0, 4)).toEqual([
      "looking for the jobs … 1 s",
      "looking for the jobs, 100 found … 2 s",
      "cancelling 200 jobs … 1 s",
      "cancelling 200 jobs, 99 done … 2 s",
    ]);
  });

  it("fleet cancel --wait shows which job it waits for", async () => {
    const { on, progress } = await start({
      [`GET ${path}/train-7`]: { body: aJobView() },
      [`POST ${path}/train-7/cancel`]: { body: aJobView({ state: "cancelled" }) },
      "GET /v1/nodes/i-0123456789abcdef0": slow(() => ({ body: aNodeView({ state: "gone" }) })),
    });
    expect(await cancel(["train-7"], { team, wait: true }, on)).toBe(0);
    expect(progress).toEqual(["waiting until train-7 has stopped … 1 s"]);
  });

  it("fleet submit shows how many jobs it has checked and sent", async () => {
    const { on, progress } = await start({ [`POST ${path}/check`]: slow(allFit) });
    const files = Array.from({ length: 110 }, (_, n) => parseJob(`${n}.json`, `{"id": "job-${n}", "command": ["true"]}`));
    const queue = {
      ...on.connection.queue,
      sendAll: async (_team: string, bodies: readonly string[], onSent?: (done: number) => void) => {
        onSent?.(60);
        vi.advanceTimersByTime(1_000);
        return bodies.map(() => ({ kind: "sent" as const, messageId: "m" }));
      },
    };
    expect(await submit(files, { team }, { ...on, connection: { ...on.connection, queue } })).toBe(0);
    expect(progress).toEqual(["checking 110 jobs … 1 s", "checking 110 jobs … 2 s", "sending 110 jobs, 60 sent … 1 s"]);
  });

  it("fleet submit --workdir shows that it uploads the packed folder", async () => {
    await writeFile(join(folder, "train.py"), "print(1)");
    const putCode = async () => {
      vi.advanceTimersByTime(1_000);
      return { code: { s3: "s3://code/x.tar.gz", sha256: "a".repeat(64) }, sent: true };
    };
    const { on, progress } = await start({ [`POST ${path}/check`]: allFit }, { code: { putCode } });
    expect(await submitCommand(["true"], { workdir: folder, team, spot: true }, on)).toBe(0);
    expect(progress).toEqual([expect.stringMatching(/^submitting .*, uploading \d+ bytes unless it is already there … 1 s$/)]);
  });

  it("fleet dataset upload shows how many files are done, and how many bytes were sent", async () => {
    await writeFile(join(folder, "a"), "12345");
    const { on, progress } = await start(
      { [`PUT /v1/teams/${team}/datasets/images`]: { status: 201, body: aDatasetView() } },
      {
        files: {
          list: async () => [],
          isSame: async () => false,
          put: async (_of, { open }, onBytes) => {
            onBytes?.((await text(open())).length);
            await vi.advanceTimersByTimeAsync(1_000);
          },
          remove: async () => [],
        },
      },
    );
    expect(await uploadDataset("images", folder, { ...on, options: { team } })).toBe(0);
    expect(progress).toEqual(["comparing and uploading 1 file, 5 bytes, no files done, 5 bytes sent … 1 s"]);
  });
});
