import type { OverrideOrder } from "../../model/overrides/overrides.ts";
import type { Chance } from "../faults/chance.ts";
import type { VirtualClock } from "../faults/virtual-clock.ts";
import type { MemoryTable } from "../memory/table.ts";

/** What admins see and use. */
export type AdminsWorld = {
  readonly clock: VirtualClock;
  readonly chance: Chance;
  readonly pools: readonly { readonly name: string }[];
  readonly table: Pick<MemoryTable, "nodes">;
  readonly machines: ReadonlyMap<string, { readonly hungSinceMs: number | undefined }>;
  /** The API. A call that is not `done` must be repeated. */
  readonly handlers: {
    readonly order: (pool: string, order: OverrideOrder) => Promise<ApiOutcome>;
    readonly declareDead: (node: string) => Promise<ApiOutcome>;
  };
  readonly redrive: () => void;
};

type ApiOutcome = "done" | "failed" | "died";

/** How long an order stays, at most, before the admin takes it back. */
const longestMs = 300_000;
const longestDrainMs = 120_000;
const againMs = 5_000;

type Given = { readonly pool: string; readonly order: OverrideOrder };

const acts = ["pause", "drain-pool", "set", "cordon", "drain", "declare-dead", "redrive"] as const;
type Act = (typeof acts)[number];

/** The admins of a deployment. They give orders at any time, one after the other, and take all of them back when the faults stop. */
export class Admins {
  readonly #world: AdminsWorld;
  readonly #calls: (() => Promise<ApiOutcome>)[] = [];
  /** The orders that take others back, and have not been given yet. */
  readonly #owed: Given[] = [];
  #isCalling = false;
  #isCalm = false;

  constructor(world: AdminsWorld) {
    this.#world = world;
  }

  /** True if every order has been carried out. */
  get areDone(): boolean {
    return this.#calls.length === 0;
  }

  /** Schedules a number of orders. */
  begin({ from, to }: { readonly from: number; readonly to: number }, spanMs: number): void {
    const { clock, chance } = this.#world;
    const count = chance.between(from, to);
    for (let n = 0; n < count; n += 1) {
      const act = chance.pick(acts);
      clock.after(chance.between(1_000, spanMs), () => {
        if (!this.#isCalm) this.#act(act);
      });
    }
  }

  /** Takes back everything that was ordered, except drains of nodes, which leave. */
  calmDown(): void {
    this.#isCalm = true;
    for (const back of this.#owed.splice(0)) this.#order(back);
  }

  #nodes() {
    return [...this.#world.table.nodes.values()].map(({ node }) => node);
  }

  #act(act: Act): void {
    const { clock, chance, pools, redrive } = this.#world;
    const { name } = chance.pick(pools);
    const untilMs = clock.nowMs + chance.between(0, longestDrainMs);
    switch (act) {
      case "pause":
        this.#forSomeTime(name, { kind: "pause" }, { kind: "resume" });
        break;
      case "drain-pool":
        this.#forSomeTime(name, { kind: "drain-pool", untilMs }, { kind: "resume" });
        break;
      case "set":
        this.#forSomeTime(name, { kind: "set", values: { gpus: chance.between(0, 2) } }, { kind: "unset", names: ["gpus"] });
        break;
      case "redrive":
        redrive();
        break;
      case "cordon":
      case "drain":
      case "declare-dead":
        this.#actOnNode(act, untilMs);
    }
  }

  /** Orders something about one of the nodes. Only a machine that hangs is declared dead. */
  #actOnNode(act: "cordon" | "drain" | "declare-dead", untilMs: number): void {
    const { chance, machines, handlers } = this.#world;
    const isMeant = (id: string): boolean => act !== "declare-dead" || machines.get(id)?.hungSinceMs !== undefined;
    const nodes = this.#nodes().filter(({ id }) => isMeant(id));
    if (nodes.length === 0) return;
    const { id: node, pool } = chance.pick(nodes);
    if (act === "declare-dead") this.#call(() => handlers.declareDead(node));
    else if (act === "drain") this.#order({ pool, order: { kind: "drain", node, untilMs } });
    else this.#forSomeTime(pool, { kind: "cordon", node }, { kind: "uncordon", node });
  }

  #forSomeTime(pool: string, order: OverrideOrder, back: OverrideOrder): void {
    const { clock, chance } = this.#world;
    const owed = { pool, order: back };
    this.#order({ pool, order });
    this.#owed.push(owed);
    clock.after(chance.between(1_000, longestMs), () => {
      const at = this.#owed.indexOf(owed);
      for (const each of at < 0 ? [] : this.#owed.splice(at, 1)) this.#order(each);
    });
  }

  #order({ pool, order }: Given): void {
    this.#call(() => this.#world.handlers.order(pool, order));
  }

  /** Makes a call once all calls before it are done, and repeats it until it is done. */
  #call(call: () => Promise<ApiOutcome>): void {
    this.#calls.push(call);
    if (!this.#isCalling) this.#callNext();
  }

  #callNext(): void {
    const [next] = this.#calls;
    this.#isCalling = next !== undefined;
    void next?.().then((how) => {
      if (how === "done") this.#calls.shift();
      if (how === "done") this.#callNext();
      else this.#world.clock.after(againMs, () => this.#callNext());
    });
  }
}
