import { eventToLaunch, percentile } from "../../lib/cli/demo/summary.ts";
import type { Watched } from "../../lib/cli/demo/watch.ts";
import { openStage, type Stage, shell } from "../e2e/stage.ts";
import type { Report, Row } from "./report.ts";

const rounds = 2;
const jobsARound = 12;
const queued = 60;

/**
 * Measures how soon the local cloud reacts, over HTTP and with warm handlers: from the time that SQS accepts a job to the CreateFleet
 * call for its node, and from the end of one job to the start of the next one on the same node.
 */
export async function reaction(): Promise<Report> {
  const stage = await openStage();
  try {
    await launches(stage, { name: "warm", jobs: 2 });
    const launchMs: number[] = [];
    for (let round = 0; round < rounds; round += 1) launchMs.push(...(await launches(stage, { name: `round-${round}`, jobs: jobsARound })));
    const freedMs = await freed(stage);
    const row = (of: Pick<Row, "case" | "metric" | "value" | "target">): Row => ({ ...of, unit: "ms", rivals: {}, better: "lower" });
    return {
      bench: "reaction",
      seeds: 1,
      rows: [
        row({
          case: `message to CreateFleet, n=${launchMs.length}`,
          metric: "p50",
          value: percentile(launchMs, 50) ?? Number.NaN,
          target: 200,
        }),
        row({
          case: `message to CreateFleet, n=${launchMs.length}`,
          metric: "p99",
          value: percentile(launchMs, 99) ?? Number.NaN,
          target: 350,
        }),
        row({
          case: `freed node to next job, n=${freedMs.length}`,
          metric: "p95",
          value: percentile(freedMs, 95) ?? Number.NaN,
          target: 2_500,
        }),
      ],
    };
  } finally {
    await stage.close();
  }
}

/** Sends jobs that each need a node of their own, one after the other, to an empty fleet. */
async function launches(stage: Stage, of: { name: string; jobs: number }): Promise<number[]> {
  const watched: Pick<Watched, "job" | "nodes">[] = [];
  for (let index = 0; index < of.jobs; index += 1) {
    const id = await stage.send(shell("sleep 600", { id: `${of.name}-${index}`, maxRuntimeSeconds: 15 }));
    const job = await stage.until(id, (each) => each.node !== undefined);
    watched.push({ job, nodes: job.node === undefined ? [] : [job.node] });
  }
  for (const { job } of watched) await stage.ended(job.job);
  while (stage.cloud.ec2.record.remaining().length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
  return eventToLaunch(watched, stage.cloud.ec2.record.fleetCalls);
}

/** Sends more short jobs than there are GPUs. Each prints where and when it ran. */
async function freed(stage: Stage): Promise<number[]> {
  const script = 'echo "$FLEETWRIGHT_FOLDER" "$(date +%s%3N)"; sleep 0.3; date +%s%3N';
  const ids = await Promise.all(Array.from({ length: queued }, (_, index) => stage.send(shell(script, { id: `short-${index}` }))));
  const runs: Run[] = [];
  for (const id of ids) {
    await stage.ended(id);
    runs.push(await runOf(stage, id));
  }
  return [...Map.groupBy(runs, (run) => run.node).values()].flatMap((onNode) => {
    const inTurn = onNode.toSorted((a, b) => a.startMs - b.startMs);
    return inTurn.slice(1).map((run, index) => run.startMs - (inTurn[index]?.endMs ?? run.startMs));
  });
}

type Run = { readonly node: string; readonly startMs: number; readonly endMs: number };

async function runOf(stage: Stage, job: string): Promise<Run> {
  for (;;) {
    const { lines } = await stage.connection.api.logs({ team: "research", job, attempt: 1 });
    const [first, last] = lines.map((line) => line.text);
    const [folder = "", start = ""] = first?.split(" ") ?? [];
    // In the local cloud, the folder of a job is in that of its node.
    const node = /\bi-[0-9a-f]+\b/.exec(folder)?.[0];
    if (last !== undefined && node !== undefined) return { node, startMs: Number(start), endMs: Number(last) };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
