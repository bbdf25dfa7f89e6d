import type { NodeView } from "../../api/views/nodes.ts";
import { gib } from "../../model/values/amount.ts";
import { exitCodes } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import { advised } from "../session/advised.ts";
import type { Context } from "../session/context.ts";
import { poolNamed } from "../session/team.ts";
import { bytes, count, hourly } from "../terminal/amount.ts";
import { duration, past, when } from "../terminal/duration.ts";
import { type Column, tableLines } from "../terminal/table.ts";
import { factLines } from "../views/job-view.ts";
import { orderInWords } from "../views/order-words.ts";

export type NodesOptions = {
  readonly pool?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly json?: boolean | undefined;
};

/** Lists the fleet's instances, page by page. */
export async function nodes(options: NodesOptions, { connection, console, nowMs }: Context): Promise<number> {
  const pool = options.pool === undefined ? undefined : poolNamed(options.pool, connection.deployment);
  const page = await connection.api.nodes({ pool, limit: options.limit, cursor: options.cursor });
  if (options.json) {
    console.out(JSON.stringify({ nodes: page.items, cursor: page.cursor ?? null }));
    return exitCodes.ok;
  }
  const empty = `there are no nodes${pool === undefined ? "" : ` in pool ${pool}`}: no instance runs or costs anything; submit a job to start one`;
  for (const line of tableLines(page.items, columns(nowMs), empty)) console.out(line);
  if (page.cursor !== undefined) console.note(`there are more: --cursor ${page.cursor}`);
  return exitCodes.ok;
}

const columns = (nowMs: number): Column<NodeView>[] => [
  { title: "NODE", of: ({ node }) => node },
  {
    title: "STATE",
    of: ({ state, notice, silent, override }) =>
      `${state}${silent ? ", silent" : ""}${override?.kind === "cordon" ? ", cordoned" : ""}${notice?.kind === "interruption" ? " !" : ""}`,
  },
  { title: "POOL", of: ({ pool }) => pool },
  { title: "TYPE", of: ({ instanceType }) => instanceType },
  { title: "MARKET", of: ({ market }) => market },
  { title: "PRICE", of: ({ usdPerHour }) => hourly(usdPerHour), align: "right" },
  { title: "GPUS", of: ({ gpus }) => String(gpus), align: "right" },
  { title: "BUSY", of: utilization, align: "right" },
  { title: "JOBS", of: ({ assignments }) => String(assignments.length), align: "right" },
  { title: "AGE", of: ({ launchedAt }) => duration(nowMs - Date.parse(launchedAt)), align: "right" },
];

/** Returns the mean utilisation of the node's GPUs, as the worker last reported it. */
function utilization({ samples = [] }: NodeView): string {
  const known = samples.flatMap(({ utilizationPercent }) => (utilizationPercent === undefined ? [] : [utilizationPercent]));
  return known.length === 0 ? "-" : `${Math.round(known.reduce((sum, each) => sum + each, 0) / known.length)}%`;
}

/** Shows one node. */
export async function node(id: string, options: { json?: boolean | undefined }, { connection, console, nowMs }: Context): Promise<number> {
  const found = await advised(connection.api.node(id), `there is no node ${id}; list them with: ${commandLine("nodes")}`);
  if (options.json) console.out(JSON.stringify(found));
  else for (const line of nodeLines(found, nowMs)) console.out(line);
  return exitCodes.ok;
}

export function nodeLines(node: NodeView, nowMs: number): string[] {
  const at = (time: string | undefined): string | undefined => (time === undefined ? undefined : past(Date.parse(time), nowMs));
  return [
    ...factLines([
      ["node", `${node.node} in pool ${node.pool}`],
      ["state", `${node.state} since ${at(node.stateSince)}`],
      ["notice", node.notice && `${node.notice.kind}, ${when(Date.parse(node.notice.at), nowMs)}`],
      ["drained", node.drain && `${node.drain.because}; what runs may continue until ${when(Date.parse(node.drain.until), nowMs)}`],
      ["ordered", node.override && orderInWords(node.override, nowMs)],
      ["serves", node.team === undefined ? "every team of its pool" : `team ${node.team}`],
      ["type", `${node.instanceType} in ${node.zone}, ${node.market} at ${hourly(node.usdPerHour)}`],
      ["has", `${node.gpus === 0 ? "no GPU" : `${node.gpus} ${node.gpuModel ?? "GPU"}`}, ${node.vcpus} vCPU, ${gib(node.memoryGiB)}`],
      ["launched", at(node.launchedAt)],
      ["ready", at(node.readyAt)],
      ["last seen", at(node.lastSeenAt) && `${at(node.lastSeenAt)}${node.silent ? "; its worker has been silent since then" : ""}`],
      ["idle since", at(node.idleSince)],
      ...node.assignments.map((held): [string, string] => ["holds", heldLine(held)]),
      ...(node.samples ?? []).map((sample): [string, string] => [`GPU ${sample.index}`, sampleLine(sample)]),
      ...node.datasets.map((set): [string, string] => [
        "data",
        `${set.team}/${set.dataset}: ${count(set.shards, "shard")}, ${bytes(set.bytes)}`,
      ]),
    ]),
  ];
}

function heldLine({ team, job, attempt, phase, gpus, rank }: NodeView["assignments"][number]): string {
  const what = job === undefined ? `a job of team ${team}` : `${team}/${job}, attempt ${attempt ?? 1}`;
  return `${what}: ${phase}, ${count(gpus, "GPU")}${rank === undefined ? "" : `, rank ${rank}`}`;
}

function sampleLine(sample: NonNullable<NodeView["samples"]>[number]): string {
  const { utilizationPercent: busy, memoryUsedMiB: used, memoryTotalMiB: total, powerWatts: power, temperatureC: warm } = sample;
  const facts = [
    sample.model,
    busy === undefined ? undefined : `${busy}% busy`,
    used === undefined || total === undefined ? undefined : `${Math.round(used)} of ${Math.round(total)} MiB`,
    power === undefined ? undefined : `${Math.round(power)} W`,
    warm === undefined ? undefined : `${warm} °C`,
    sample.eccUncorrected ? `${sample.eccUncorrected} uncorrected memory errors` : undefined,
    sample.throttled?.length ? `throttled: ${sample.throttled.join(", ")}` : undefined,
  ].filter((fact) => fact !== undefined);
  return facts.join(", ") || "no readings";
}
