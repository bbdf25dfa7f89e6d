import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { createAlarmWatch } from "../../../lib/cli/demo/alarm-watch.ts";
import { withSampleCode } from "../../../lib/cli/demo/code.ts";
import { checksums, firstFiles, laterFile } from "../../../lib/cli/demo/dataset.ts";
import { firstTick } from "../../../lib/cli/demo/first-tick.ts";
import { createHappenings } from "../../../lib/cli/demo/happenings.ts";
import { run, type Stage } from "../../../lib/cli/demo/run.ts";
import { type Sample, samples } from "../../../lib/cli/demo/samples.ts";
import { verify } from "../../../lib/cli/demo/verify.ts";
import { type Watched, watch } from "../../../lib/cli/demo/watch.ts";
import { archiveLimits } from "../../../lib/model/files/archive-entry.ts";
import { type Job, jobName } from "../../../lib/model/job.ts";
import type { JobReader } from "../../../lib/ports/jobs.ts";
import { unpack } from "../../../lib/worker/code/archive.ts";
import { aJob, aSpec } from "../../fakes/builders.ts";

const code = { s3: "s3://code/vision/x.tar.gz", sha256: "a".repeat(64) };
const forever = new AbortController().signal;
const sha256 = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");

describe("the samples of the demonstration", () => {
  test("the samples are always the same messages with the same expected outcomes", () => {
    const { first, later } = samples(code);
    const shown = ({ leaves, ...sample }: Sample) => ({
      ...sample,
      ...(leaves && { leaves: Object.entries(leaves).map(([path, text]) => `${path} ${sha256(text)}`) }),
    });
    expect([...first, later].map(shown)).toMatchSnapshot();
  });

  test("the dataset has 24 files of 16 KiB that differ, and one more later", async () => {
    const files = [...firstFiles, laterFile];
    expect(firstFiles).toHaveLength(24);
    expect([files[0]?.path, files[9]?.path, laterFile.path]).toEqual(["pages/00.bin", "pages/09.bin", "pages/24.bin"]);
    expect(new Set(files.map(({ body }) => sha256(body))).size).toBe(25);
    for (const { body, bytes, open } of files) {
      expect([bytes, body.length]).toEqual([16 * 1024, 16 * 1024]);
      expect(await buffer(open())).toEqual(body);
    }
    const [one, two] = [firstFiles[1], firstFiles[0]];
    if (one && two) expect(checksums([one, two])).toBe(`${sha256(two.body)}  pages/00.bin\n${sha256(one.body)}  pages/01.bin\n`);
  });

  test("the samples' code is an archive of two programs that exists while it is used", async () => {
    const folder = await mkdtemp(join(tmpdir(), "fw-demo-"));
    let file = "";
    const result = await withSampleCode(async (archive) => {
      file = archive;
      await unpack(archive, { folder, limits: archiveLimits });
      return "done";
    });
    expect([result, existsSync(file)]).toEqual(["done", false]);
    expect(await readFile(join(folder, "greet.sh"), "utf8")).toBe('echo "hello from $FLEETWRIGHT_TEAM" > greeting.txt\n');
    expect(await readFile(join(folder, "gang.mjs"), "utf8")).toContain("server.listen(Number(MASTER_PORT), MASTER_ADDR);");
    await rm(folder, { recursive: true });
  });
});

test("the first tick is repeated until it returns, five times at most", async () => {
  const invoked: unknown[][] = [];
  const cloudThat = (fails: number) => ({
    invoke: async (...args: unknown[]) => {
      invoked.push(args);
      return invoked.length <= fails ? ({ kind: "failed", error: "no" } as never) : ({ kind: "returned", payload: null } as never);
    },
  });
  await firstTick(cloudThat(4));
  expect(invoked).toEqual(Array.from({ length: 5 }, () => ["tick", { tick: "minute" }]));
  invoked.length = 0;
  await expect(firstTick(cloudThat(9))).rejects.toMatchObject({
    code: "no-prices",
    message: expect.stringContaining("the first tick failed, 5 times: {"),
  });
  expect(invoked).toHaveLength(5);
});

describe("the events that happen to samples", () => {
  const [interrupted, regretted, other] = [{ meets: "interruption" }, { meets: "cancellation" }, {}] as unknown as readonly [
    Sample,
    Sample,
    Sample,
  ];

  test("each event happens once, as soon as its job runs", async () => {
    const did: string[] = [];
    const printed: string[] = [];
    const cancelled = Promise.withResolvers<void>();
    const happenings = createHappenings({
      cloud: { ec2: { record: { interrupt: (id: string) => did.push(`interrupt ${id}`) } } } as never,
      api: {
        cancel: async ({ job }: { job: string }, reason: string) => {
          did.push(`cancel ${job}: ${reason}`);
          await cancelled.promise;
        },
      } as never,
      print: (line) => void printed.push(line),
    });
    const [a, b] = [aJob({ job: "a", state: "running", node: "i-1" }), aJob({ job: "b", state: "running", node: "i-2" })];
    happenings.onUpdate({ ...a, state: "placed" }, interrupted);
    happenings.onUpdate(a, other);
    for (let n = 0; n < 2; n += 1) {
      happenings.onUpdate(a, interrupted);
      happenings.onUpdate(b, regretted);
    }
    expect(did).toEqual(["interrupt i-1", "cancel b: the demonstration cancels this job"]);
    expect([...happenings.interrupted]).toEqual([jobName(a)]);
    expect(printed).toEqual(["i-1  EC2 announces that it takes this spot instance back"]);
    let settled = false;
    const settling = happenings.settled().then(() => {
      settled = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    cancelled.resolve();
    await settling;
    expect(printed[1]).toBe(`${jobName(b)}  cancelled by its team`);
  });
});

describe("watching jobs", () => {
  /** A reader whose lists are these rounds, one after the other. */
  const readerOf = (...rounds: readonly (readonly Job[])[]) => {
    const asked: string[] = [];
    let round = -1;
    const now = (): readonly Job[] => rounds[Math.min(round, rounds.length - 1)] ?? [];
    const reader: JobReader = {
      attempts: async () => ({ attempts: [] }),
      list: async ({ team, limit }) => {
        asked.push(`${team} ${limit}`);
        round += 1;
        return { jobs: now() };
      },
      get: async ({ job }) => now().find((each) => each.job === job),
    };
    return { reader, asked };
  };

  test("each change of a job's state is reported once, and its nodes and gangs are collected until all have ended", async () => {
    const a = aJob({ job: "a", state: "placed", node: "i-1" });
    const foreign = aJob({ job: "foreign", state: "running" });
    const { reader, asked } = readerOf(
      [a, foreign],
      [a],
      [{ ...a, node: "i-2", gang: ["i-2", "i-3"] }],
      [{ ...a, state: "running", node: "i-2", gang: ["i-2", "i-3"] }],
      [{ ...a, state: "succeeded", attempt: 2 }],
    );
    const seen: string[] = [];
    const watched = await watch({
      jobs: [a],
      reader,
      signal: forever,
      onJob: ({ job, state, attempt }) => seen.push(`${job} ${state} ${attempt}`),
    });
    expect(seen).toEqual(["a placed 1", "a running 1", "a succeeded 2"]);
    expect(watched).toMatchObject([{ job: { state: "succeeded" }, nodes: ["i-1", "i-2"] }]);
    expect(watched[0]?.gangs).toEqual([
      ["i-2", "i-3"],
      ["i-2", "i-3"],
    ]);
    expect(asked).toEqual(Array.from({ length: 5 }, () => "vision 100"));
  });

  test("jobs are not watched after an abort", async () => {
    const { reader, asked } = readerOf([aJob()]);
    expect(await watch({ jobs: [aJob()], reader, signal: AbortSignal.abort(), onJob: () => undefined })).toEqual([]);
    expect(asked).toEqual([]);
  });
});

describe("verifying what jobs left", () => {
  const sample = (leaves: Readonly<Record<string, string>> | undefined): Sample => ({
    team: "vision",
    body: "",
    shows: "",
    ends: "succeeded",
    ...(leaves && { leaves }),
  });
  const watchedJob = (job: string, files: number): Watched => ({
    job: aJob({ job, state: "succeeded", artifacts: { files, bytes: 1, leftOut: 0, lost: 0, missing: [] } }),
    nodes: [],
    gangs: [],
  });
  const texts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    good: { "a/x.txt": "1", "y.txt": "2" },
    bad: { "x.txt": "other" },
    more: { "x.txt": "1", "y.txt": "2" },
  };
  let opened = "";
  const artifacts = {
    list: async ({ job }: { job: string }) =>
      texts[job] && ({ artifacts: Object.entries(texts[job]).map(([path, text]) => ({ path, bytes: text.length })) } as never),
    open: async ({ job }: { job: string }, { path }: { path: string }, file: string | Buffer) => {
      opened = String(file);
      await mkdir(dirname(opened), { recursive: true });
      await writeFile(opened, texts[job]?.[path] ?? "");
    },
  };

  test("a job's files are correct if each is equal to what the job should have written, and none is missing", async () => {
    const printed: string[] = [];
    const [good, bad, more, none, unseen] = [
      sample({ "a/x.txt": "1", "y.txt": "2" }),
      sample({ "x.txt": "1" }),
      sample({ "x.txt": "1" }),
      sample(undefined),
      sample({ "x.txt": "1" }),
    ];
    const sent = [
      { sample: good, ref: { team: "vision", job: "good" } },
      { sample: bad, ref: { team: "vision", job: "bad" } },
      { sample: more, ref: { team: "vision", job: "more" } },
      { sample: none, ref: { team: "vision", job: "none" } },
      { sample: unseen, ref: { team: "vision", job: "unseen" } },
    ];
    const watched = [watchedJob("good", 2), watchedJob("bad", 1), watchedJob("more", 2), watchedJob("none", 0)];
    const verified = await verify({ artifacts, print: (line) => void printed.push(line) }, { sent, watched });
    expect(verified.files).toBe(3);
    expect([...verified.jobs]).toEqual([good, none]);
    expect(printed[0]).toBe("vision/good  a/x.txt: 1 bytes unsealed, equal to what the job should have written");
    expect(printed[2]).toBe("vision/bad  x.txt: 5 bytes unsealed, NOT equal to what the job should have written");
    expect(existsSync(dirname(dirname(opened)))).toBe(false);
  });
});

describe("watching alarms", () => {
  const alarm = (name: string, over: object = {}) => ({ name, state: "ALARM" as const, sinceMs: 1, reason: "deep", ...over });

  test("each alarm that goes off is printed once per time, and counts as handled if it is the cause of a decision", async () => {
    const printed: string[] = [];
    const ticks: unknown[] = [];
    let looks = 0;
    const asked: object[] = [];
    const watching = createAlarmWatch({
      cloud: {
        alarms: () => {
          looks += 1;
          return looks < 3
            ? [alarm("f/a"), alarm("quiet", { state: "OK" })]
            : [alarm("f/a", { sinceMs: 2 }), alarm("f/b"), alarm("for-people")];
        },
        invoke: async (name: string, event: unknown) => void ticks.push([name, event]),
        deployment: { pools: ["gpu", "cpu"] },
      } as never,
      connection: {
        api: {
          decisions: async (of: object) => {
            asked.push(of);
            if ("cursor" in of && of.cursor === "next") return { items: [{ causes: ["alarm f/b"] }] } as never;
            return {
              items: [{ causes: ["tick", "alarm f/a"] }],
              ...("pool" in of && of.pool === "cpu" ? { cursor: "next" } : {}),
            } as never;
          },
        },
      },
      print: (line) => void printed.push(line),
      stop: forever,
    });
    await expect.poll(() => looks).toBeGreaterThanOrEqual(4);
    expect(await watching.end()).toEqual({ fired: 2, handled: 2 });
    expect(printed).toEqual(["alarm f/a goes off: deep", "alarm f/a goes off: deep", "alarm f/b goes off: deep"]);
    expect(ticks).toEqual([["tick", { tick: "minute" }]]);
    expect(asked).toEqual([
      { pool: "gpu", limit: 50, cursor: undefined },
      { pool: "cpu", limit: 50, cursor: undefined },
      { pool: "cpu", limit: 50, cursor: "next" },
    ]);
    const before = looks;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(looks).toBe(before);
  });
});

describe("the demonstration", () => {
  /** A stage on which every job ends as its sample says, except those in `wrong`. */
  function stage(wrong: Readonly<Record<string, Partial<Job>>> = {}) {
    const printed: string[] = [];
    const jobs = new Map<string, Job>();
    let shards = 0;
    // The listing is always a look behind what was uploaded.
    let listed = 0;
    let shownShards = 0;
    const shownAtSend = new Map<string, number>();
    let version = 1;
    const { first, later } = samples(code);
    const all = [...first, later];
    const looks = new Map<string, number>();
    const now = (job: Job): Job => {
      const sample = all.find(({ body }) => body === bodies.get(job.job));
      const look = (looks.get(job.job) ?? 0) + 1;
      looks.set(job.job, look);
      const isGang = sample?.body.includes('"nodes":2') ?? false;
      const base = { ...job, node: "i-1", startedAtMs: 2, spec: aSpec({ nodes: isGang ? 2 : 1 }), ...(isGang && { gang: ["i-1", "i-2"] }) };
      if (look === 1 && sample?.ends !== "rejected") return { ...base, state: "running" };
      const { startedAtMs: _, ...never } = base;
      const files = Object.keys(sample?.leaves ?? {}).length;
      return {
        ...(sample?.ends === "rejected" ? never : base),
        state: sample?.ends ?? "failed",
        attempt: sample?.meets === "interruption" ? 2 : 1,
        ...(files > 0 && { artifacts: { files, bytes: 1, leftOut: 0, lost: 0, missing: [] } }),
        ...wrong[job.job],
      };
    };
    const bodies = new Map<string, string>();
    let remaining = 2;
    const record = {
      interrupt: () => 0,
      fleetCalls: [],
      instances: [{}, {}, {}],
      remaining: () => Array.from({ length: remaining-- }, () => ({})),
    };
    const on = {
      cloud: {
        endpoint: "http://127.0.0.1:1",
        invoke: async () => ({ kind: "returned", payload: null }),
        alarms: () => [{ name: "f/deep", state: "ALARM", sinceMs: 1, reason: "deep" }],
        deployment: { pools: ["gpu"] },
        ec2: { record },
      },
      connection: {
        deployment: { datasetsBucket: "data" },
        api: {
          dataset: async () => {
            shownShards = listed;
            listed = shards;
            return { listing: { shards: shownShards }, map: { version } };
          },
          putDataset: async () => undefined,
          decisions: async () => ({ items: [{ causes: ["alarm f/deep"] }] }),
          cancel: async () => undefined,
        },
        files: {
          put: async () => {
            shards += 1;
            if (shards > 24) version = 2;
          },
        },
        code: { putCode: async () => ({ code, sent: true }) },
        queue: {
          send: async (team: string, body: string) => {
            const job = /"id":"([^"]+)"/.exec(body)?.[1] ?? `message-${jobs.size}`;
            bodies.set(job, body);
            shownAtSend.set(job, shownShards);
            jobs.set(job, aJob({ team, job }));
            return { messageId: job };
          },
        },
        jobs: {
          list: async ({ team }: { team: string }) => ({ jobs: [...jobs.values()].filter((job) => job.team === team) }),
          get: async ({ job }: { job: string }) => now(jobs.get(job) ?? aJob({ job })),
        },
        artifacts: {
          list: async ({ job }: { job: string }) => ({
            artifacts: Object.keys(all.find(({ body }) => body === bodies.get(job))?.leaves ?? {}).map((path) => ({ path, bytes: 1 })),
          }),
          open: async ({ job }: { job: string }, { path }: { path: string }, file: string) => {
            await mkdir(dirname(file), { recursive: true });
            await writeFile(file, all.find(({ body }) => body === bodies.get(job))?.leaves?.[path] ?? "");
          },
        },
      },
      print: (line: string) => void printed.push(line),
      stop: forever,
    } as unknown as Stage;
    return { on, printed, shownAtSend };
  }

  test("the demonstration sends each sample, grows the dataset after its readers, and counts how all ended", async () => {
    const { on, printed, shownAtSend } = stage();
    const summary = await run(on);
    expect(summary).toMatchObject({
      eventToLaunchMs: { p50: null, p99: null },
      instances: { launched: 3, remaining: 0 },
      artifacts: { sealed: 7, verified: 7 },
      interruptions: { noticed: 1, resumed: 1, lost: 0 },
      alarms: { fired: 1, handled: 1 },
      datasets: { shards: 25, fetched: 73, verified: 73, mapVersion: 2 },
      gangs: { started: 1, partial: 0 },
      ok: true,
    });
    expect(summary.jobs.map(({ id }) => id)).toEqual(expect.arrayContaining(["train", "gang", "with-more-data"]));
    expect(printed).toEqual(
      expect.arrayContaining([
        "the local cloud is running at http://127.0.0.1:1",
        "vision/pages  a dataset of 24 files: s3://data/vision/pages/",
        "research/train  sent: trains, and leaves a model, which is sealed",
        "research/train  running",
        "research/interrupted  succeeded, attempt 2",
        "vision/pages  another file is added on S3: pages/24.bin",
        "2 instances left, idle",
        "1 instance left, idle",
        "no instance is left",
      ]),
    );
    expect([shownAtSend.get("train"), shownAtSend.get("with-more-data")]).toEqual([24, 25]);
    const at = (line: string) => printed.findIndex((each) => each.startsWith(line));
    expect(at("vision/pages  another")).toBeGreaterThan(Math.max(at("vision/with-data  succeeded"), at("vision/gang  succeeded")));
    expect(at("vision/with-more-data  sent")).toBeGreaterThan(at("vision/pages  another"));
  });

  test.each<[string, Readonly<Record<string, Partial<Job>>>, object]>([
    ["a job that ended otherwise", { train: { state: "failed", reason: "no\nmore" } }, {}],
    ["a job that was lost with its node", { interrupted: { state: "failed" } }, { interruptions: { noticed: 1, resumed: 0, lost: 1 } }],
    ["an interrupted job that ran once", { interrupted: { attempt: 1 } }, { interruptions: { noticed: 1, resumed: 0, lost: 0 } }],
  ])("the demonstration fails because of %s", async (_what, wrong, counted) => {
    const { on, printed } = stage(wrong);
    expect(await run(on)).toMatchObject({ ok: false, ...counted });
    if (wrong["train"]) expect(printed).toContain("research/train  failed: no");
  });
});
