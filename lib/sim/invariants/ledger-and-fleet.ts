import type { Invariant } from "./invariant.ts";

/** 4: the live instances of EC2 are those in the ledger. */
export const ledgerAndFleet: Invariant = {
  number: 4,
  name: "the ledger and EC2 agree",
  says: "Once everything settles, the live instances are those in the ledger. No unowned instance survives.",
  watch: (seen) => {
    const begun = new Map<string, number>();
    return {
      on: (fact) => {
        if (fact.kind !== "instance") return undefined;
        if (!fact.intended) return `${fact.id} was launched for ${fact.launch.id}, whose intent is not recorded`;
        const { id, count } = fact.launch;
        const made = (begun.get(id) ?? 0) + 1;
        begun.set(id, made);
        return made > count ? `launch ${id} asked for ${count} instances and got ${made}` : undefined;
      },
      atRest: () => {
        const { fleet, table, pools } = seen();
        const live = fleet.live.map(({ id }) => id);
        const nodes = [...table.nodes.values()].map(({ node }) => `${node.id} (${node.state})`);
        if (live.length > 0)
          return `${live.join(", ")} are still live although no work is left; the ledger has ${nodes.join(", ") || "no node"}`;
        if (nodes.length > 0) return `the ledger has ${nodes.join(", ")}, but EC2 has no instance`;
        if (table.openLaunches.size > 0) return `the launches ${[...table.openLaunches.keys()].join(", ")} are still open`;
        const held = pools.find(({ name }) => table.reserved(name).gpus !== 0 || table.reserved(name).usdPerHour !== 0);
        return held && `pool ${held.name} has no instance, but reserves ${JSON.stringify(table.reserved(held.name))}`;
      },
    };
  },
};
