import { createApi } from "../../../lib/api/app.ts";
import type { ApiDeps } from "../../../lib/api/http/deps.ts";
import type { Operation } from "../../../lib/api/http/operation.ts";
import { allOperations } from "../../../lib/api/operations.ts";
import { ProblemView } from "../../../lib/api/views/problem.ts";
import type { SigningPrincipal } from "../../../lib/api/views/speaker.ts";
import type { JobRecord } from "../../../lib/model/job.ts";
import type { DecisionRecord } from "../../../lib/ports/journal.ts";
import {
  aCatalogue,
  aDecision,
  aJob,
  aLaunch,
  aNode,
  anAssignment,
  anAttempt,
  anEntry,
  aPool,
  aRefusal,
  aSnapshot,
  aSpec,
  monday,
} from "../../fakes/builders.ts";
import { World } from "../flows/world.ts";

const account = "123456789012";
export const callerOf = (arn: string, from = account): SigningPrincipal => ({ arn, account: from, owner: account });

/** The callers in tests. */
export const callers = {
  admin: callerOf(`arn:aws:sts::${account}:assumed-role/Admin/ada`),
  vision: callerOf(`arn:aws:sts::${account}:assumed-role/fleetwright-team-vision-eu-west-1/vera`),
  research: callerOf(`arn:aws:sts::${account}:assumed-role/fleetwright-team-research-eu-west-1/rosa`),
  former: callerOf(`arn:aws:sts::${account}:assumed-role/fleetwright-team-sales-eu-west-1/sam`),
  stranger: callerOf("arn:aws:sts::999999999999:assumed-role/Admin/eve", "999999999999"),
} as const;
export type Who = keyof typeof callers;

export type CallOptions = {
  readonly as?: Who;
  readonly method?: string;
  /** Sent as it is if it is a string, otherwise as JSON. */
  readonly body?: unknown;
  readonly type?: string | undefined;
};
export type Received = { readonly status: number; readonly headers: Headers; readonly body: unknown };

/** A world with the complete API, two teams, two pools and some items of each kind. */
export class ApiWorld extends World {
  readonly logs = this.ports.attemptLogs;
  #requests = 0;
  readonly #api;

  constructor(over: Partial<ApiDeps> = {}) {
    super(aPool({ budgets: { usdPerDay: 100 } }), aCatalogue(), [aPool({ name: "lab", teams: ["research"], shared: true })]);
    this.nowMs = monday + 3_600_000;
    this.#seed();
    this.#api = createApi({ ...this.apiDeps, ...over }, allOperations);
  }

  get apiDeps(): ApiDeps {
    return {
      ...this.deps,
      fleet: { name: "fleetwright", region: "eu-west-1", teams: ["research", "vision"], pools: this.pools, defaultPool: "gpu" },
      places: { datasetsBucket: "fleet-data", dataBuckets: ["open-data"] },
      newId: () => `dataset-${this.#requests}`,
    };
  }

  /** Calls the API. Throws if the response is a server error or does not match the document. */
  async fetch(path: string, options: CallOptions = {}): Promise<Received> {
    const received = await this.fetchRaw(path, options);
    if (received.status >= 500) throw new Error(`${path}: ${received.status} ${JSON.stringify(received.body)} ${JSON.stringify(this.log)}`);
    holdAgainstDocument(path, options.method ?? "GET", received);
    return received;
  }

  async fetchRaw(path: string, { as = "vision", method = "GET", body, type = "application/json" }: CallOptions = {}): Promise<Received> {
    this.#requests += 1;
    const requestId = `00000000-0000-4000-8000-${String(this.#requests).padStart(12, "0")}`;
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const request = new Request(`https://api${path}`, {
      method,
      headers: { "content-type": type },
      ...(text === undefined ? {} : { body: text }),
    });
    const response = await this.#api.fetch(request, { caller: callers[as], requestId, origin: "https://api" });
    const responseBody = await response.text();
    return { status: response.status, headers: response.headers, body: responseBody === "" ? undefined : JSON.parse(responseBody) };
  }

  #seed(): void {
    const { table } = this.ledger;
    table.catalogues.set("lab", aCatalogue());
    const put = (job: JobRecord): void => {
      table.putJob(job);
      if (job.state === "queued") table.enqueue(job);
    };
    put(aJob({ job: "waits", submittedAtMs: monday + 1 }));
    put(aJob({ job: "runs", state: "running", submittedAtMs: monday + 2, node: nodeId(1), startedAtMs: monday + 9, attempt: 2 }));
    table.beginAttempt({ team: "vision", job: "runs" }, anAttempt({ end: "interrupted", endedAtMs: monday + 60_000, reason: "lost" }));
    table.beginAttempt({ team: "vision", job: "runs" }, anAttempt({ attempt: 2, nodes: [nodeId(1)] }));
    put(
      aJob({
        job: "done",
        state: "succeeded",
        submittedAtMs: monday + 3,
        endedAtMs: monday + 10,
        endCode: "succeeded",
        exitCode: 0,
        artifacts: sealed,
      }),
    );
    put(aJob({ job: "refused", state: "rejected", submittedAtMs: monday + 4, spec: undefined, reason: "the message is not JSON" }));
    put(aJob({ team: "research", job: "secret", state: "running", submittedAtMs: monday + 5, node: nodeId(1) }));
    put(aJob({ team: "research", job: "hidden", pool: "lab", submittedAtMs: monday + 6, spec: aSpec({ pool: "lab" }) }));
    table.putNode(
      aNode({
        id: nodeId(1),
        team: undefined,
        assignments: [
          anAssignment({ team: "research", job: "secret", phase: "running" }),
          anAssignment({ job: "runs", attempt: 2, phase: "running", rank: 0 }),
        ],
        gpus: [{ index: 0, model: "NVIDIA A10G", utilizationPercent: 97, throttled: ["sw_power_cap"] }],
        notice: { kind: "rebalance", atMs: monday + 1000 },
        datasets: [
          { team: "vision", dataset: "cats", version: 1, shards: 2, bytes: 20 },
          { team: "research", dataset: "dogs", version: 1, shards: 3, bytes: 30 },
        ],
      }),
    );
    table.putNode(aNode({ id: nodeId(2), lastBusyMs: monday + 120_000, lastSeenMs: this.nowMs - 10_000 }));
    table.putNode(aNode({ id: nodeId(3), pool: "lab", team: "research", state: "launching", readyAtMs: undefined }));
    table.forgotten.set("gpu/gone", aNode({ id: nodeId(9), state: "gone", released: true }));
    table.openLaunches.set("launch-7", aLaunch({ id: "launch-7", team: "research", jobs: [{ team: "research", job: "hidden" }] }));
    table.refusals.set("x", aRefusal({ untilMs: this.nowMs + 60_000 }));
    this.logs.write({ team: "vision", job: "runs", attempt: 2 }, ...["one", "two", "three"].map((text, n) => ({ atMs: monday + n, text })));
    this.journal.decisions.push(...[0, 1, 2].map(seededDecision));
    this.datasets.put({
      team: "vision",
      dataset: "cats",
      id: "cats-1",
      source: { bucket: "fleet-data", prefix: "vision/cats/" },
      state: "ready",
      addedAtMs: monday,
      listing: { version: 1, shards: 4, bytes: 40, digest: "0", key: "k" },
      map: {
        version: 1,
        listing: 1,
        listingKey: "k",
        madeAtMs: monday,
        holdings: [{ node: nodeId(1), share: "part", weight: 1, shards: 2, bytes: 20, list: "l" }],
        moved: 0,
        movedBytes: 0,
        plan: "p",
      },
    });
  }
}

export const nodeId = (n: number): string => `i-${String(n).padStart(17, "0")}`;
const sealed = { files: 1, bytes: 5, leftOut: 0, missing: [], lost: 0 };

/** Returns the id of the n-th seeded decision. */
export const decisionId = (n: number): string => `20260601-000${n}00.000Z-decision-${n}`;

const seededDecision = (n: number): DecisionRecord => {
  const {
    id: _id,
    clientToken: _token,
    intendedAtMs: _at,
    ...launch
  } = aLaunch({ team: "research", jobs: [{ team: "research", job: "secret" }] });
  return aDecision({
    id: `decision-${n}`,
    epoch: n + 1,
    atMs: monday + n * 60_000,
    causes: ["job", "dataset research/dogs", "dataset vision/cats"],
    snapshot: aSnapshot({ reserved: { usdPerHour: 0.5, gpus: 1 }, queue: [anEntry()], nodes: [aNode()] }),
    plan: {
      steps: [
        { kind: "bind", entry: anEntry({ job: "runs" }), node: nodeId(1), because: "runs has room" },
        { kind: "hold", entry: anEntry({ team: "research", job: "secret" }), because: "secret waits for room" },
        { kind: "launch", launch, because: "secret has no room" },
        { kind: "retire", node: nodeId(2), because: "idle for 120 s" },
      ],
      wakeAtMs: monday + 120_000,
    },
    outcomes: ["done", "done secret", "launched for secret", "done"],
  });
};

const hasPath = (operation: Operation, path: string): boolean =>
  new RegExp(`^/v1${operation.path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path);
export const operationAt = (path: string, method: string): Operation | undefined =>
  allOperations.find((each) => each.method.toUpperCase() === method && hasPath(each, path));

/** Throws unless the response is one that the document promises for this call. */
export function holdAgainstDocument(path: string, method: string, received: Received): void {
  const why = whyWrong(path, method, received);
  if (why !== undefined) throw new Error(`${method} ${path} returned ${received.status}, ${why}: ${JSON.stringify(received.body)}`);
}

function whyWrong(path: string, method: string, { status, headers, body }: Received): string | undefined {
  const isHead = method === "HEAD";
  if (headers.get("cache-control") !== "no-store") return "which may be stored";
  if (status >= 400) {
    if (headers.get("content-type") !== "application/problem+json") return "which is not problem details";
    return isHead || ProblemView.strict().safeParse(body).data?.status === status ? undefined : "but the body does not match the status";
  }
  const responses = operationAt(new URL(path, "https://api").pathname, isHead ? "GET" : method)?.responses;
  if (!responses || !Object.keys(responses.statuses).includes(String(status))) return "which is not documented";
  if (isHead) return undefined;
  const parsed = responses.schema.safeParse(body);
  if (!parsed.success) return parsed.error.message;
  return JSON.stringify(parsed.data)?.length === JSON.stringify(body)?.length ? undefined : "with more than is documented";
}
