import { type JobRef, jobName } from "../../model/job.ts";
import { subjectName } from "../../model/refusal.ts";
import type { Written } from "../../ports/pool-ledger.ts";
import type { LedgerPorts } from "./ledger-ports.ts";
import type { Spoiled, SpoiledItem } from "./unreadable.ts";

export type NextRelease = {
  /** The items that only the next release can read. */
  readonly unknown: Spoiled;
  /** Reports whether a write of the next release stores a value that this one does not know. */
  readonly writesNew: () => boolean;
};

/**
 * Returns the ledger as the next release uses it: it reads everything, and some of its writes make their items unreadable for this release,
 * which sees the ledger through `withUnreadable`. An item stays so until it is gone.
 */
export function asNextRelease(real: LedgerPorts, { unknown, writesNew }: NextRelease): LedgerPorts {
  const note = (item: SpoiledItem): void => {
    if (writesNew()) unknown.add(item);
  };
  const noteNode = async (pool: string, node: string): Promise<void> => {
    const jobs: readonly JobRef[] = (await real.nodeReader.find(node))?.assignments ?? [];
    note({ kind: "node", name: node, pool, jobs });
  };
  /** A bound job has left the queue. */
  const bound = ({ entry }: { readonly entry: JobRef }, written: Written): Written => {
    if (written === "done") unknown.remove("queue entry", jobName(entry));
    return written;
  };
  return {
    ...real,
    capacity: {
      change: async (subject, next) => {
        const isWritten = await real.capacity.change(subject, next);
        if (isWritten) note({ kind: "refusal", name: subjectName(subject), ...(subject.why === "fault" && { pool: subject.pool }) });
        return isWritten;
      },
    },
    admissions: {
      admit: async (job, limits) => {
        const admitted = await real.admissions.admit(job, limits);
        if (admitted.kind === "created" && job.state === "queued")
          note({ kind: "queue entry", name: jobName(job), pool: job.pool, jobs: [job] });
        return admitted;
      },
    },
    nodeLedger: {
      ...real.nodeLedger,
      begin: async (pool, node, atMs) => {
        const begun = await real.nodeLedger.begin(pool, node, atMs);
        if (begun.kind === "session") await noteNode(pool, node);
        return begun;
      },
      noticed: async (node, notice, atMs) => {
        const noted = await real.nodeLedger.noticed(node, notice, atMs);
        if (noted.kind === "noted") await noteNode(noted.pool, node);
        return noted;
      },
    },
    placements: {
      ...real.placements,
      bind: async (fence, bind) => bound(bind, await real.placements.bind(fence, bind)),
      bindGang: async (fence, bind) => bound(bind, await real.placements.bindGang(fence, bind)),
      intend: async (fence, launch, limits) => {
        const written = await real.placements.intend(fence, launch, limits);
        if (written === "done") note({ kind: "launch", name: launch.id, pool: fence.pool, jobs: launch.jobs });
        return written;
      },
      settle: async (fence, settled) => {
        const written = await real.placements.settle(fence, settled);
        if (written === "done") {
          unknown.remove("launch", settled.launch.id);
          for (const { id } of settled.nodes) note({ kind: "node", name: id, pool: fence.pool });
        }
        return written;
      },
      bootFailed: async (fence, failure) => {
        const written = await real.placements.bootFailed(fence, failure);
        if (written === "done") note({ kind: "boot failure", name: failure.node, pool: fence.pool });
        return written;
      },
      removeNode: async (fence, node, atMs) => {
        const written = await real.placements.removeNode(fence, node, atMs);
        if (written === "done") unknown.remove("node", node);
        return written;
      },
    },
  };
}
