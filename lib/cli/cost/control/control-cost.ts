import { exitCodes } from "../../invocation/exit.ts";
import { count, rounded } from "../../terminal/amount.ts";
import type { Console } from "../../terminal/console.ts";
import { withProgress } from "../../terminal/progress.ts";
import { tableLines } from "../../terminal/table.ts";
import type { Billed } from "./counts.ts";
import { measure } from "./run.ts";
import { billedJobs, type WorkBill, workBill } from "./work-bill.ts";

export type ControlCostOptions = { readonly jobs: number; readonly seed: number; readonly json?: boolean | undefined };

/** Measures and prints what the work of the control plane costs. It needs no account. */
export async function controlCost(
  { jobs, seed, json }: ControlCostOptions,
  console: Pick<Console, "out" | "progress" | "width">,
): Promise<number> {
  const bill = await withProgress(console, `an hour with ${count(jobs, "job")} in virtual time`, async (show) => {
    const idle = await measure({ jobs: 0 }, { seed, far: () => {} });
    const load = await measure({ jobs }, { seed, far: (share) => show(`${Math.floor(100 * share)} %`) });
    return workBill(load, idle);
  });
  for (const line of json ? [JSON.stringify({ seed, ...bill })] : workLines(bill, { seed, width: console.width })) console.out(line);
  return exitCodes.ok;
}

const names: Readonly<Record<Billed, string>> = {
  runs: "runs of functions",
  gibSeconds: "memory of functions, GiB-seconds (computed)",
  reads: "read units of the table",
  writes: "write units of the table",
  sqs: "requests of queues",
  sqsFifo: "requests of FIFO queues",
  s3Puts: "objects written to S3",
  s3Gets: "objects read from S3",
  keyRequests: "requests of KMS",
  logBytes: "bytes in logs of functions (computed)",
};

/** Returns the lines of a bill. */
export function workLines(bill: WorkBill, { seed, width }: { readonly seed: number; readonly width: number }): readonly string[] {
  const { jobs, nodes, nodeHours, decisions, states, items, parts, usd, usdPerThousand: per } = bill;
  const itemTable = tableLines(
    [...items.map(({ what, ...each }) => ({ what: names[what], ...each })), { what: "in all", count: undefined, usd }],
    [
      { title: `PER ${rounded(billedJobs)} JOBS`, of: ({ what }) => what, yields: true },
      { title: "COUNT", of: (row) => (row.count === undefined ? "" : rounded(row.count)), align: "right" },
      { title: "USD", of: (row) => cents(row.usd), align: "right" },
    ],
    { empty: "nothing costs anything", width },
  );
  const partTable = tableLines(
    parts,
    [
      { title: "CAUSED BY", of: ({ part }) => part, yields: true },
      { title: "RUNS", of: ({ counts }) => rounded(counts.runs), align: "right" },
      { title: "READS", of: ({ counts }) => rounded(counts.reads), align: "right" },
      { title: "WRITES", of: ({ counts }) => rounded(counts.writes), align: "right" },
      { title: "GIB-S", of: ({ counts }) => rounded(counts.gibSeconds), align: "right" },
      { title: "USD", of: (row) => cents(row.usd), align: "right" },
    ],
    { empty: "nothing costs anything", width },
  );
  const ended = Object.entries(states).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...itemTable,
    "",
    ...partTable,
    "",
    `Of this, 1,000 decisions cost ${cents(per.decisions)}, and 1,000 calls of workers ${cents(per.workerCalls)}, which is ${cents(per.nodeHours)} per 1,000 node-hours.`,
    `Measured in virtual time without faults, seed ${seed}: ${count(jobs, "job")} in an hour (${ended.map(([state, n]) => `${n} ${state}`).join(", ")}),`,
    `${rounded(decisions)} decisions, ${count(nodes, "node")}, ${nodeHours.toFixed(1)} node-hours. With fewer jobs an hour, each one costs more.`,
    "Requests and units are those of the functions' own code on a table that counts as DynamoDB does. Durations are computed: usual times",
    "of requests (4 to 12 ms for the table), and the processor time that a benchmark measured. Cold starts and retries are not included.",
    "List prices of us-east-1, without free tiers. What an idle deployment costs, instances, stored files and items, logs of jobs, and",
    "calls of people are not included.",
  ];
}

const cents = (usd: number): string => `$${usd.toFixed(4)}`;
