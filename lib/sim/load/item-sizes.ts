import { FleetError } from "../../model/fleet-error.ts";
import { type JobRef, jobName } from "../../model/job.ts";
import type { Assignment, Node } from "../../model/node.ts";
import { wantsOf } from "../../model/wants.ts";
import type { Fence, Written } from "../../ports/pool-ledger.ts";
import type { LedgerPorts } from "../memory/ledger-ports.ts";
import { type MemoryTable, nodeKey } from "../memory/table.ts";

/** The largest item that a run has written. `what`: its kind and name. */
export type LargestItem = { readonly what: string; readonly bytes: number };

export const noItem: LargestItem = { what: "none", bytes: 0 };

export const larger = (one: LargestItem, other: LargestItem): LargestItem => (other.bytes > one.bytes ? other : one);

/** DynamoDB's limit of an item, with its attribute names. */
export const maxItemBytes = 400 * 1024;
/** Keys, times and everything else that does not grow. */
const fixedBytes = 1_000;
/** An assignment's team, job, phase and times, besides what its job wants. */
const placedBytes = 200;

/** Notes how large items get, and refuses those that DynamoDB would refuse. */
export class ItemSizes {
  #largest = noItem;
  readonly #known = new WeakMap<object, number>();

  get largest(): LargestItem {
    return this.#largest;
  }

  /** Counts an item with this much besides its fixed part. Throws a FleetError if it is too large; the caller must not write it then. */
  count(what: string, bytes: number): void {
    if (bytes + fixedBytes > maxItemBytes)
      throw new FleetError(
        "table",
        `the table refused the call: ValidationException: Item size has exceeded the maximum allowed size: ${what}`,
      );
    if (bytes + fixedBytes > this.#largest.bytes) this.#largest = { what, bytes: bytes + fixedBytes };
  }

  /** Returns about the size of a value that never changes. It is estimated once per value. */
  of(value: object): number {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const bytes = Buffer.byteLength(JSON.stringify(value));
    this.#known.set(value, bytes);
    return bytes;
  }
}

/**
 * Returns the ledger as the real table behaves if an item is too large: the write is refused, and repeating it changes nothing. The sizes
 * are those of the JSON of what grows: a node's assignments, what its worker reports, a launch's jobs and offers, a job's message, the
 * causes of a bell, and reasons.
 */
export function withItemSizes(real: LedgerPorts, table: MemoryTable, sizes: ItemSizes): LedgerPorts {
  const held = ({ assignments }: Node): number => assignments.reduce((sum, each: Assignment) => sum + sizes.of(each), 0);
  const binding = ({ pool }: Fence, node: string, added: number): void => {
    const row = table.nodes.get(nodeKey(pool, node));
    if (row) sizes.count(`node ${node}`, held(row.node) + added);
  };
  /** Returns the write, which gives a job a reason. */
  const reasoned =
    <Of extends { readonly reason: string }>(jobOf: (of: Of) => JobRef, write: (fence: Fence, of: Of) => Promise<Written>) =>
    async (fence: Fence, of: Of): Promise<Written> => {
      sizes.count(`job ${jobName(jobOf(of))}`, Buffer.byteLength(of.reason));
      return write(fence, of);
    };
  const { placements, admissions, bell, nodeLedger } = real;
  return {
    ...real,
    admissions: {
      admit: async (job, limits) => {
        sizes.count(`job ${jobName(job)}`, sizes.of(job.spec ?? {}) + Buffer.byteLength(job.reason ?? ""));
        return admissions.admit(job, limits);
      },
    },
    bell: {
      ring: async (pool, cause) => {
        const bytes = [...table.pool(pool).causes, cause].reduce((sum, each) => sum + Buffer.byteLength(each), 0);
        sizes.count(`bell ${pool}`, bytes);
        return bell.ring(pool, cause);
      },
    },
    nodeLedger: {
      ...nodeLedger,
      seen: async (pool, node, sign) => {
        if (sign.telemetry) sizes.count(`heartbeat ${node}`, sizes.of(sign.telemetry));
        return nodeLedger.seen(pool, node, sign);
      },
    },
    placements: {
      ...placements,
      bind: async (fence, bind) => {
        binding(fence, bind.node.id, placedBytes + sizes.of(wantsOf(bind.entry)));
        return placements.bind(fence, bind);
      },
      bindGang: async (fence, bind) => {
        const added = placedBytes + sizes.of(wantsOf(bind.entry));
        for (const { id } of bind.nodes) binding(fence, id, added);
        return placements.bindGang(fence, bind);
      },
      rebind: async (fence, bind) => {
        binding(fence, bind.node.id, sizes.of(bind.attempt));
        return placements.rebind(fence, bind);
      },
      intend: async (fence, launch, limits) => {
        sizes.count(`launch ${launch.id}`, sizes.of(launch));
        return placements.intend(fence, launch, limits);
      },
      settle: async (fence, settled) => {
        const ids = settled.nodes.reduce((sum, { id }) => sum + id.length, 0);
        sizes.count(`launch ${settled.launch.id}`, sizes.of(settled.launch) + ids);
        return placements.settle(fence, settled);
      },
      takeBack: reasoned(({ assignment }) => assignment, placements.takeBack),
      fail: reasoned(({ attempt }) => attempt, placements.fail),
      move: reasoned(({ entry }) => entry, placements.move),
      hold: reasoned(({ entry }) => entry, placements.hold),
    },
  };
}
