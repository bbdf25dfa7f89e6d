import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { Manifest } from "../../../events/artifacts/upload.ts";
import type { JobSpec } from "../../../lib/model/job.ts";
import {
  type FakeAws,
  type FakeMetadata,
  fakeAws,
  fakeMetadataService,
  fakeNodeFunction,
  orders,
  type Reply,
  type Report,
  type RunOrder,
  runOrder,
} from "./http-fakes.ts";
import { startWorker, type WorkerProcess } from "./worker-process.ts";

export const until = { timeout: 15_000, interval: 20 };

type AttemptReport = Report["attempts"][number];
type Respond = (call: Report, number: number) => Reply;

/** Everything that a worker interacts with: a folder, the node function, AWS and its instance's metadata service. */
export class WorkerWorld {
  /** Returns the node function's response. */
  reply: Respond = () => orders();
  readonly folder: string;
  readonly aws: FakeAws;
  readonly metadata: FakeMetadata;
  readonly server: Awaited<ReturnType<typeof fakeNodeFunction>>;
  readonly #workers: WorkerProcess[] = [];

  private constructor(folder: string, fakes: [FakeAws, FakeMetadata, Awaited<ReturnType<typeof fakeNodeFunction>>]) {
    this.folder = folder;
    [this.aws, this.metadata, this.server] = fakes;
  }

  static async open(): Promise<WorkerWorld> {
    const folder = await mkdtemp(join(tmpdir(), "fw-worker-"));
    const respond: Respond = (call, number) => world.reply(call, number);
    const world = new WorkerWorld(folder, await Promise.all([fakeAws(), fakeMetadataService(), fakeNodeFunction(respond)]));
    return world;
  }

  begin(env: Readonly<Record<string, string>> = {}): WorkerProcess {
    const worker = startWorker({
      FLEETWRIGHT_NODE_URL: this.server.url,
      FLEETWRIGHT_POOL: "gpu",
      FLEETWRIGHT_FOLDER: this.folder,
      AWS_REGION: "eu-west-1",
      AWS_ENDPOINT_URL: this.aws.url,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: this.metadata.url,
      ...env,
    });
    this.#workers.push(worker);
    return worker;
  }

  /** Makes the worker end and forget all attempts that it holds. Resolves when it reports none any more. */
  async clear(): Promise<void> {
    const { calls } = this.server;
    const before = calls.length;
    this.reply = (call) => orders({ done: call.attempts.map(({ team, job, attempt }) => ({ team, job, attempt })) });
    // A response that is on its way may still contain an order.
    await expect.poll(() => calls.length > before + 1 && calls.at(-1)?.attempts, until).toEqual([]);
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) worker.child.kill("SIGKILL");
    await Promise.all(this.#workers.map((worker) => worker.ended));
    await Promise.all([this.aws, this.metadata, this.server].map((each) => each.close()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** One attempt of a job, and what the world knows about it. */
export class WorldJob {
  readonly ref: { readonly team: string; readonly job: string; readonly attempt: number };
  readonly #world: WorkerWorld;

  constructor(world: WorkerWorld, job = "train-1") {
    this.#world = world;
    this.ref = { team: "vision", job, attempt: 1 };
  }

  order(spec: Partial<JobSpec>, over: Partial<RunOrder> = {}): RunOrder {
    return runOrder(spec, { ...this.ref, log: { group: "/fleetwright/vision", stream: this.#stream }, ...over });
  }

  /** Orders it until the worker reports it. */
  begins(spec: Partial<JobSpec>, over: Partial<RunOrder> = {}): Respond {
    return () => orders({ orders: this.reports().length > 0 ? [] : [this.order(spec, over)] });
  }

  /** Orders it until the worker reports it, and is done with it after its final report. */
  goesToItsEnd(spec: Partial<JobSpec>): Respond {
    const begins = this.begins(spec);
    return (call, number) => {
      const report = this.reportIn(call);
      return report !== undefined && isOver(report) ? orders({ done: [this.ref] }) : begins(call, number);
    };
  }

  reportIn(call: Report | undefined): AttemptReport | undefined {
    return call?.attempts.find(({ job }) => job === this.ref.job);
  }

  /** What the worker has reported about it. */
  reports(): readonly AttemptReport[] {
    return this.#world.server.calls.flatMap((call) => this.reportIn(call) ?? []);
  }

  /** What the worker's last call reports about it. */
  last(): AttemptReport | undefined {
    return this.reportIn(this.#world.server.calls.at(-1));
  }

  /** Its phases in order. The last one is undefined once the worker has forgotten it. */
  phases(): (string | undefined)[] {
    return this.#world.server.calls.map((call) => this.reportIn(call)?.phase).filter((phase, n, all) => phase !== all[n - 1]);
  }

  lines(): readonly string[] {
    return this.#world.aws.logLines(this.#stream);
  }

  /** The objects that it has uploaded, by key below the attempt's prefix, in order of arrival. */
  kept(): ReadonlyMap<string, Buffer> {
    const prefix = `incoming/${this.ref.team}/${this.ref.job}/${this.ref.attempt}/`;
    const found = [...this.#world.aws.objects].filter(([key]) => key.startsWith(prefix));
    return new Map(found.map(([key, body]) => [key.slice(prefix.length), body]));
  }

  manifest(): Manifest {
    return Manifest.parse(JSON.parse(this.kept().get("manifest.json")?.toString() ?? ""));
  }

  get #stream(): string {
    return `${this.ref.job}/${this.ref.attempt}`;
  }
}

/** Reports whether this report is the final one. */
export function isOver(report: AttemptReport): boolean {
  if (report.phase === "running") return false;
  if (report.phase === "uploaded") return true;
  return report.uploads !== true && !(report.phase === "exited" && report.exitCode === 0);
}

/** Returns the command of a job that runs a Node script. */
export const node = (script: string, ...args: string[]): string[] => [process.execPath, "-e", script, ...args];
