import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PlanOptions, plan } from "../../../lib/cli/commands/plan.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleetwright-plan-"));
});
afterAll(() => rm(folder, { recursive: true }));

type Tables = { readonly jobs: string; readonly offers?: string; readonly nodes?: string };
const oneGpu = "instanceType,market,usdPerHour,vcpus,memoryGiB,gpus,gpuModel,gpuMemoryGiB";
const usual = `${oneGpu}\nsmall,on-demand,1,4,16,1,T4,15\nbig,on-demand,3.5,16,64,4,T4,15\nbig,spot,1.4,16,64,4,T4,15\n`;

async function run({ jobs, offers = usual, nodes }: Tables, options: Partial<PlanOptions> = {}) {
  const out: string[] = [];
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const files = {
    jobs: await file("jobs.csv", jobs),
    offers: await file("offers.csv", offers),
    ...(nodes === undefined ? {} : { nodes: await file("nodes.csv", nodes) }),
  };
  const code = await plan({ ...files, budget: 200, seed: 1, wholeNodes: true, ...options }, { out: (line) => out.push(line), width: 100 });
  expect(code).toBe(0);
  return out;
}
const json = async (tables: Tables, options: Partial<PlanOptions> = {}) =>
  JSON.parse((await run(tables, { ...options, json: true })).join(""));

describe("fleet plan", () => {
  it("fleet plan packs jobs at the lowest cost, and prints the cost and a lower bound", async () => {
    const found = await json({ jobs: "id,count,vcpus,memoryGiB,gpus,spot\ntrain,4,4,16,1,no\n" });
    expect(found.launches).toEqual([
      {
        offer: "big/any/on-demand",
        usdPerHour: 3.5,
        nodes: 1,
        jobs: ["train#1", "train#2", "train#3", "train#4"],
        alternatives: [],
      },
    ]);
    expect(found).toMatchObject({ cost: { f: 3.5, g: 0, total: 3.5 }, bindings: [], holds: [] });
    expect(found.bound).toBeCloseTo(3.5, 6);
    expect(found.gap).toBeCloseTo(0, 6);
  });

  it.each([
    [30, []],
    [32, ["and 2 rows more: --json has all"]],
  ])("fleet plan shows at most thirty rows of %i launches, of which the dearest come first", async (count, more) => {
    const numbers = Array.from({ length: count }, (_, n) => n + 10);
    const offers = [
      "instanceType,zone,market,usdPerHour,vcpus,memoryGiB,gpus,gpuModel,gpuMemoryGiB,most",
      ...numbers.map((n) => `type${n},z,on-demand,${n},4,16,1,M${n},15,1`),
    ];
    const jobs = ["id,vcpus,memoryGiB,gpus,gpuModels,spot", ...numbers.map((n) => `job${n},4,16,1,M${n},no`)];
    const out = await run({ jobs: jobs.join("\n"), offers: offers.join("\n") }, { budget: 20 });
    const rows = out.slice(1, out.indexOf(""));
    expect(rows.filter((line) => line.startsWith("type")).map((line) => line.split(" ")[0])).toEqual(
      numbers
        .toReversed()
        .slice(0, 30)
        .map((n) => expect.stringMatching(new RegExp(`^type${n}\\b`))),
    );
    expect(rows.slice(30)).toEqual(more);
  });

  it("fleet plan empties a node if its jobs cost less elsewhere, including their restart, and names the jobs that stay", async () => {
    const tables = {
      jobs: "id,vcpus,memoryGiB,gpus,spot,node\nnew,1,1,1,no,\nold,1,1,1,no,dear\nother,1,1,1,no,cheap\n",
      nodes: "id,freeVcpus,freeMemoryGiB,freeGpus,gpuModel,gpuMemoryGiB,usdPerHour\ndear,8,32,3,T4,15,3\ncheap,8,32,2,T4,15,0.5\n",
    };
    const found = await json(tables);
    expect(found).toMatchObject({
      drains: [{ node: "dear", usdPerHour: 3, jobs: ["old"] }],
      bindings: [{ node: "cheap", jobs: ["new", "old"] }],
      launches: [],
      cost: { f: -3, g: 0.75, stoppedUsd: 0.75, savedUsd: 3 },
    });
    const printed = (await run(tables)).join("\n");
    expect((await run(tables)).slice(0, 5)).toEqual([
      "EMPTY  SAVES/H  JOBS  WHICH RESTART",
      "dear        $3     1  old",
      "",
      "ON NODE  JOBS  WHICH",
      "cheap       2  new, old",
    ]);
    expect(printed).toMatch(/^f +\$0\/h for launches, less \$3\/h for emptied nodes$/m);
    expect(await run(tables, { explain: "old" })).toContainEqual(expect.stringMatching(/^old goes on node cheap/));
    expect(await run(tables, { explain: "other" })).toEqual([
      "other stays on node cheap, where it runs: a restart elsewhere would not save money",
    ]);
    const costly = {
      ...tables,
      nodes: tables.nodes.replace("dear,8,32,3,T4,15,3", "dear,8,32,1,T4,15,0.4").replace("cheap,8,32,2", "cheap,8,32,0"),
    };
    expect(await json(costly)).toMatchObject({ drains: [], bindings: [{ node: "dear", jobs: ["new"] }] });
  });

  it.each([
    ["no file of nodes", undefined, /jobs\.csv, job old, node: it runs on dear, and no file of nodes was given \(--nodes FILE\)/],
    ["no such node", "id,freeVcpus,freeMemoryGiB\nn1,8,32\n", /job old, node: it runs on dear, and there is no such node in .*nodes\.csv/],
  ])("fleet plan refuses a job that runs on a node if there is %s", async (_what, nodes, says) => {
    const jobs = "id,vcpus,memoryGiB,gpus,node\nold,1,1,1,dear\n";
    await expect(run({ jobs, ...(nodes === undefined ? {} : { nodes }) })).rejects.toThrow(says);
  });

  it("fleet plan gives jobs slices of partitioned GPUs, but not to a job that needs more memory than a slice has", async () => {
    const offers = `instanceType,usdPerHour,vcpus,memoryGiB,gpus,gpuModel,gpuMemoryGiB,slices\nsliced,8,64,256,2,A100,10,7\n`;
    const jobs = "id,count,vcpus,memoryGiB,gpus,gpuMemoryGiB\nsmall,14,1,4,1,10\nlarge,1,1,4,1,40\n";
    expect(await json({ jobs, offers })).toMatchObject({
      launches: [{ offer: "sliced/any/on-demand", nodes: 1 }],
      holds: [{ jobs: ["large"], reasons: [{ kind: "gpu memory", wanted: 40, there: 10 }] }],
    });
    expect(await json({ jobs, offers }, { maxGpus: 1 })).toMatchObject({ launches: [] });
  });

  it("fleet plan uses spot if a job allows it, and names other offers that hold the same jobs", async () => {
    const found = await json({ jobs: "id,count,vcpus,memoryGiB,gpus\ntrain,4,4,16,1\n" });
    expect(found.launches).toMatchObject([{ offer: "big/any/spot", alternatives: ["big/any/on-demand"] }]);
  });

  it("fleet plan uses existing nodes before it launches, and shares a GPU among jobs that ask for a part", async () => {
    const tables = {
      jobs: "id,vcpus,memoryGiB,gpus,gpuFraction\na,1,1,1,0.5\nb,1,1,1,0.5\nc,1,1,1,\n",
      nodes: "id,freeVcpus,freeMemoryGiB,freeGpus,gpuModel,gpuMemoryGiB\nn1,8,32,1,T4,15\n",
    };
    const found = await json(tables);
    expect(found.bindings).toHaveLength(1);
    expect(found.launches).toHaveLength(1);
    const placed = [...found.bindings, ...found.launches].flatMap(({ jobs }) => jobs);
    expect(placed.toSorted()).toEqual(["a", "b", "c"]);
    expect(found.cost.f).toBe(1);
  });

  it("fleet plan launches the nodes of a gang together", async () => {
    const found = await json({ jobs: "id,vcpus,memoryGiB,gpus,nodes\ngang,4,16,1,3\n" });
    expect(found.launches).toMatchObject([{ offer: "small/any/on-demand", nodes: 3, jobs: ["gang"] }]);
  });

  it("fleet plan says why a job waits and what would place it", async () => {
    const found = await json({ jobs: "id,vcpus,memoryGiB,gpus,spot\nlarge,20,16,1,yes\n" });
    expect(found.holds).toEqual([
      {
        jobs: ["large"],
        reasons: [{ kind: "size", of: "vCPUs", wanted: 20, there: 4 }],
        change: { offer: "small/any/on-demand", usdPerHour: 1 },
      },
    ]);
  });

  it("fleet plan keeps its limits, and places the jobs with the highest priority", async () => {
    const tables = { jobs: "id,vcpus,memoryGiB,gpus,spot,priority\nlow,4,16,1,no,0\nhigh,4,16,1,no,9\n" };
    const found = await json(tables, { maxGpus: 1 });
    expect(found.launches).toMatchObject([{ jobs: ["high"] }]);
    expect(found.holds).toMatchObject([{ jobs: ["low"], reasons: [{ kind: "limit", of: "GPUs" }] }]);
    expect((await json(tables, { maxUsd: 0.5 })).holds).toHaveLength(2);
  });

  it("fleet plan places the job with the nearest deadline first among equals, and prints what waiting costs the others", async () => {
    const jobs =
      "id,vcpus,memoryGiB,gpus,spot,priority,deadlineHours\ncalm,4,16,1,no,0,\nsoon,4,16,1,no,0,8\nurgent,4,16,1,no,0,1\nhigh,4,16,1,no,1,\n";
    const placed = async (maxGpus: number): Promise<string[]> => {
      const found = await json({ jobs }, { maxGpus });
      return found.launches.flatMap((launch: { jobs: string[] }) => launch.jobs).toSorted();
    };
    expect(await placed(1)).toEqual(["high"]);
    expect(await placed(2)).toEqual(["high", "urgent"]);
    expect(await placed(3)).toEqual(["high", "soon", "urgent"]);
    // One dollar per hour; 9/8 with eight hours to go; two with one hour to go.
    expect(await json({ jobs }, { maxGpus: 1 })).toMatchObject({ cost: { waitingUsd: 1 + 9 / 8 + 2 } });
  });

  it("fleet plan reserves a part of each node for the host, unless --whole-nodes is given", async () => {
    const jobs = "id,vcpus,memoryGiB,gpus,spot\ntrain,4,14,1,no\n";
    expect((await json({ jobs })).launches).toMatchObject([{ offer: "small/any/on-demand" }]);
    expect((await json({ jobs }, { wholeNodes: false })).launches).toMatchObject([{ offer: "big/any/on-demand" }]);
  });

  it("fleet plan reads the pod lists of a public trace", async () => {
    const jobs =
      "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos\np1,1000,1024,1,500,,LS\np2,1000,1024,1,500,T4|V100,BE\np3,500,512,0,0,,BE\n";
    const found = await json({ jobs });
    expect(found.launches).toMatchObject([{ offer: "small/any/on-demand", nodes: 1 }]);
    expect(found.launches[0].jobs.toSorted()).toEqual(["p1", "p2", "p3"]);
  });
});

describe("the tables of fleet plan", () => {
  it("the tables of fleet plan fit into 100 columns if the names do", async () => {
    const out = await run({
      jobs: "id,count,vcpus,memoryGiB,gpus,spot\ntrain,4,4,16,1,no\nlarge,1,20,16,1,no\nfits,1,1,1,0,no\n",
      nodes: "id,freeVcpus,freeMemoryGiB\nn1,8,32\n",
    });
    const text = out.join("\n");
    expect(text).toMatch(/^ON NODE +JOBS +WHICH\nn1 +1 +fits\n/);
    expect(text).toMatch(
      /^LAUNCH +NODES +EACH\/H +ALL\/H +JOBS +WHICH +OR\nbig\/any\/on-demand +1 +\$3\.50 +\$3\.50 +4 +train#1, train#2 \+2 +-$/m,
    );
    expect(text).toMatch(
      /^large +1 +it needs 20 vCPUs and one offers 4; with at most 4 vCPUs it could have small\/any\/on-demand for \$1\/h$/m,
    );
    expect(text).toMatch(/^f +\$3\.50\/h for launches$/m);
    expect(text).toMatch(/^bound +no plan that places the same jobs costs less than \$3\.50\/h; this one is at most 0 % above$/m);
    for (const line of out) expect(line).toBe(line.trimEnd());
  });

  it.each([
    [
      "where a job is launched",
      "train#2",
      /^train#2 goes on a new big\/any\/on-demand for \$3\.50\/h, together with 3 others\n.*no other offer.*\n.*by itself it would cost \$1\/h on small/,
    ],
    ["where a job is bound", "fits", /^fits goes on node n1, alone: the node exists, has room, and costs nothing extra\n/],
    [
      "why a job waits",
      "large",
      /^large waits: .*closest offer is small\/any\/on-demand, but\n {2}it needs 20 vCPUs .*\nwith at most 4 vCPUs it could have/,
    ],
  ])("fleet plan --explain shows %s", async (_what, explain, expected) => {
    const tables = {
      jobs: "id,count,vcpus,memoryGiB,gpus,spot\ntrain,4,4,16,1,no\nlarge,1,20,16,1,no\nfits,1,1,1,0,no\n",
      nodes: "id,freeVcpus,freeMemoryGiB\nn1,8,32\n",
    };
    expect((await run(tables, { explain })).join("\n")).toMatch(expected);
  });

  it("fleet plan --explain suggests the names of a row that stands for several jobs", async () => {
    const tables = { jobs: "id,count,vcpus,memoryGiB,gpus\ntrain,4,4,16,1\n" };
    await expect(run(tables, { explain: "train" })).rejects.toThrow(/no job train in the file; there are train#1 to train#4/);
    await expect(run(tables, { explain: "nobody" })).rejects.toThrow(/no job nobody in the file; the first is train#1/);
  });
});

describe("the errors of fleet plan", () => {
  const jobs = "id,vcpus,memoryGiB,gpus\na,1,1,0\n";
  it.each<[string, Tables, RegExp]>([
    ["a missing column", { jobs: "id,vcpus,gpus\na,1,0\n" }, /jobs\.csv, row 1: the column memoryGiB is missing/],
    ["a negative size", { jobs: "id,vcpus,memoryGiB,gpus\na,-1,1,0\n" }, /jobs\.csv, row 2, vcpus: must be at least 0, not "-1"/],
    [
      "an invalid price",
      { jobs, offers: "instanceType,usdPerHour,vcpus,memoryGiB\nx,NaN,1,1\n" },
      /offers\.csv, row 2, usdPerHour: must be a number/,
    ],
    [
      "an unknown market",
      { jobs, offers: "instanceType,market,usdPerHour,vcpus,memoryGiB\nx,spott,1,1,1\n" },
      /row 2, market: must be spot, on-demand/,
    ],
    [
      "a repeated offer",
      { jobs, offers: "instanceType,usdPerHour,vcpus,memoryGiB\nx,1,1,1\nx,2,1,1\n" },
      /row 3: x\/any\/on-demand already exists/,
    ],
    ["a share of two GPUs", { jobs: "id,vcpus,memoryGiB,gpus,gpuFraction\na,1,1,2,0.5\n" }, /row 2, gpuFraction: a share is of one GPU/],
    ["a share of zero", { jobs: "id,vcpus,memoryGiB,gpus,gpuFraction\na,1,1,1,0\n" }, /row 2, gpuFraction: must be more than 0/],
    ["datasets without sizes", { jobs: "id,vcpus,memoryGiB,gpus,datasets\na,1,1,0,images\n" }, /row 2, datasets: must be NAME:GIB/],
    [
      "invalid free GPUs",
      { jobs, nodes: "id,freeVcpus,freeMemoryGiB,freeGpus\nn,1,1,1|2\n" },
      /nodes\.csv, row 2, freeGpus: must be a whole number/,
    ],
    ["no jobs", { jobs: "id,vcpus,memoryGiB,gpus\n" }, /jobs\.csv contains no job/],
    ["no offers", { jobs, offers: "" }, /offers\.csv is empty/],
  ])("fleet plan refuses %s, and names the file, the row and the field", async (_what, tables, message) => {
    await expect(run(tables)).rejects.toMatchObject({ name: "UsageError", message: expect.stringMatching(message) });
  });
});
