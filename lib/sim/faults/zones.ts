import type { Chance } from "./chance.ts";

/** A zone in which all nodes fall silent. Some of their machines are dead, the others have no network. In minutes of the run. */
export type ZoneFailure = {
  readonly zone: string;
  readonly atMinute: number;
  /** How long after that EC2 reports some of the instances as terminated. It says that the others run. */
  readonly reportedAfterMinutes: number;
  /** The share of the instances that EC2 reports, 0 to 1. */
  readonly reportedShare: number;
};

type ZoneWorld = {
  readonly after: (ms: number, then: () => void) => void;
  readonly chance: Chance;
  /** Ends the supply of a zone: nothing more can be launched there, and nothing boots. */
  readonly close: (zone: string) => void;
  /** Returns the machines that run in a zone, in order. */
  readonly machinesIn: (zone: string) => readonly { readonly id: string; readonly hang: () => void; readonly cutOff: () => void }[];
  /** Ends an instance, and has EC2 report it. */
  readonly end: (id: string) => void;
};

/** How many of the machines of a zone die with it. The others go on without a network. */
const deadRate = 0.5;

export function scheduleZoneFailures(failures: readonly ZoneFailure[], { after, chance, close, machinesIn, end }: ZoneWorld): void {
  for (const { zone, atMinute, reportedAfterMinutes, reportedShare } of failures)
    after(atMinute * 60_000, () => {
      close(zone);
      const machines = machinesIn(zone).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      for (const machine of machines) {
        if (chance.happens(deadRate)) machine.hang();
        else machine.cutOff();
      }
      const order = machines.map(({ id }) => ({ id, draw: chance.next() })).toSorted((a, b) => a.draw - b.draw);
      const reported = order.slice(0, Math.ceil(order.length * reportedShare));
      after(reportedAfterMinutes * 60_000, () => {
        for (const { id } of reported) end(id);
      });
    });
}
