import { type JobRef, jobName } from "../../model/job.ts";
import { subjectName } from "../../model/refusal.ts";
import type { Fence } from "../../ports/pool-ledger.ts";
import type { SimPorts } from "../faults/ports.ts";

/** An item that a call writes or, in a transaction, checks. */
export type WrittenItem = { readonly partition: string; readonly sort: string };

type WritesOf<P> = {
  readonly [M in keyof P]?: P[M] extends (...args: infer Args) => unknown ? (...args: Args) => readonly WrittenItem[] : never;
};
type Writes = { readonly [P in keyof SimPorts]?: WritesOf<SimPorts[P]> };

const item = (partition: string, sort: string): WrittenItem => ({ partition, sort });
const jobItem = (ref: JobRef): WrittenItem => item(`J#${jobName(ref)}`, "STATE");
const bell = (pool: string): WrittenItem => item(`P#${pool}`, "BELL");
const entry = (pool: string, ref: JobRef): WrittenItem => item(`Q#${pool}#${ref.team}`, ref.job);
/** The real table divides a pool's nodes among four partitions. */
const nodeItem = (pool: string, node: string): WrittenItem => item(`N#${pool}#${(node.codePointAt(node.length - 1) ?? 0) % 4}`, node);
const heartbeat = (pool: string, node: string): WrittenItem => item(nodeItem(pool, node).partition, `${node}#HEARTBEAT`);
const dataset = ({ team, dataset: name }: { readonly team: string; readonly dataset: string }): WrittenItem => item(`D#${team}`, name);

/** What counts the reservations of the pool and of the deployment. */
const counters = ({ pool }: Fence): readonly WrittenItem[] => [item(`P#${pool}`, "POOL"), item("RESERVED", "DEPLOYMENT")];
const onNode = (fence: Fence, node: string): readonly WrittenItem[] => [nodeItem(fence.pool, node)];
const releasing = (fence: Fence, node: string): readonly WrittenItem[] => [...counters(fence), nodeItem(fence.pool, node)];

/**
 * The items that the calls of handlers write, by port and method, with partitions as in the real table. Methods are missing if they only
 * read, or if no other handler writes the same item.
 */
const writes: Writes = {
  admissions: { admit: (job) => [jobItem(job), ...(job.state === "queued" ? [entry(job.pool, job)] : [])] },
  bell: { ring: (pool) => [bell(pool)] },
  cancellations: {
    cancel: (ref) => [jobItem(ref)],
    cancelAll: (refs) => refs.map(jobItem),
  },
  capacity: { change: (subject) => [item("REFUSED", subjectName(subject))] },
  catalogues: { put: (pool) => [item(`C#${pool}`, "CATALOGUE")] },
  datasets: {
    add: (added) => [dataset(added), item(`DN#${added.team}`, "DATASETS")],
    replace: (was) => [dataset(was)],
    remove: (ref) => [dataset(ref), item(`DN#${ref.team}`, "DATASETS")],
    recordListing: (was) => [dataset(was)],
    recordTrouble: (was) => [dataset(was)],
    recordMap: (was) => [dataset(was)],
    recordRelist: (was) => [dataset(was)],
    recordDeferral: (was) => [dataset(was)],
  },
  decisions: {
    begin: (pool) => [bell(pool), item(`P#${pool}`, "POOL")],
    finish: ({ pool }) => [bell(pool)],
  },
  nodeLedger: {
    begin: (pool, node) => [nodeItem(pool, node)],
    seen: (pool, node) => [heartbeat(pool, node)],
    change: ({ pool, node }, { attempt, job }) => [nodeItem(pool, node), ...(job ? [jobItem(attempt)] : [])],
  },
  orphans: { record: () => [item("U", "STRAYS")] },
  placements: {
    bind: (fence, { entry: of, node }) => [jobItem(of), entry(fence.pool, of), nodeItem(fence.pool, node.id)],
    bindGang: (fence, { entry: of, nodes }) => [jobItem(of), entry(fence.pool, of), ...nodes.map(({ id }) => nodeItem(fence.pool, id))],
    rebind: ({ pool }, { attempt, from, node }) => [jobItem(attempt), nodeItem(pool, from), nodeItem(pool, node.id)],
    intend: (fence, launch) => [...counters(fence), item(`L#${fence.pool}`, launch.id)],
    recordSearch: ({ pool }, { launch }) => [item(`L#${pool}`, launch)],
    settle: (fence, { launch, nodes }) => [
      ...counters(fence),
      item(`L#${fence.pool}`, launch.id),
      ...nodes.map(({ id }) => nodeItem(fence.pool, id)),
    ],
    fenceIdle: onNode,
    drain: (fence, { node }) => onNode(fence, node),
    undrain: (fence, { node }) => onNode(fence, node),
    terminating: releasing,
    removeNode: releasing,
    takeBack: ({ pool }, { node, assignment }) => [nodeItem(pool, node), jobItem(assignment)],
    fail: ({ pool }, { attempt }) => [jobItem(attempt), entry(pool, attempt)],
    move: ({ pool }, { entry: of, to }) => [jobItem(of), entry(pool, of), entry(to, of), bell(to)],
    hold: ({ pool }, { entry: of }) => [jobItem(of), entry(pool, of)],
    setAside: ({ pool }, of) => [entry(pool, of)],
  },
  sealing: {
    succeed: (attempt) => [jobItem(attempt), item("S", jobName(attempt))],
    fail: (attempt) => [jobItem(attempt), item("S", jobName(attempt))],
    over: (attempt) => [item("S", jobName(attempt))],
  },
};

/** Returns the items that a call writes; none for a call that only reads. */
export function writesOf(port: keyof SimPorts, method: string, args: readonly unknown[]): readonly WrittenItem[] {
  const of: object | undefined = writes[port];
  const items: unknown = of && Reflect.get(of, method);
  return typeof items === "function" ? Reflect.apply(items, undefined, args) : [];
}
