import type { Chance } from "./chance.ts";

/** What makes nodes silent in a run, besides faults. All times are from the begin of the run. */
export type Silences = {
  /** When a machine that runs a program hangs for good, and for how long EC2 then refuses to terminate it. */
  readonly hangs: readonly { readonly atMinute: number; readonly refusedHours: number }[];
  /** When a machine that runs a program loses its network, and for how long. `refused`: EC2 refuses to terminate it. */
  readonly cutOffs: readonly { readonly atMinute: number; readonly hours: number; readonly refused: boolean }[];
  readonly zones: readonly ZoneFailure[];
};

/** A zone in which all nodes fall silent. Some of their machines hang, the others have no network. */
export type ZoneFailure = {
  readonly zone: string;
  readonly atMinute: number;
  /** How long after that EC2 reports some of the instances as terminated. It says that the others run. */
  readonly reportedAfterMinutes: number;
  /** The share of the instances that EC2 reports, 0 to 1. */
  readonly reportedShare: number;
};

type SilentMachine = { readonly hang: () => void; readonly cutOff: (forMs: number) => void; readonly running: readonly unknown[] };

type SilencesWorld = {
  readonly after: (ms: number, then: () => void) => void;
  readonly chance: Chance;
  /** The machines by instance id. */
  readonly machines: ReadonlyMap<string, SilentMachine>;
  /** Returns the zone of an instance that lives; undefined for another. */
  readonly zoneOf: (id: string) => string | undefined;
  /** Ends the supply of a zone: nothing more can be launched there, and nothing boots. */
  readonly close: (zone: string) => void;
  /** Has EC2 refuse to terminate an instance, for good or for some time. */
  readonly protect: (id: string, forMs?: number) => void;
  /** Ends an instance, and has EC2 report it. */
  readonly end: (id: string) => void;
};

/** How many of the machines of a zone hang when it fails. The others go on without a network. */
const hangRate = 0.5;

export function scheduleSilences({ hangs, cutOffs, zones }: Silences, world: SilencesWorld): void {
  const { after, machines } = world;
  const atWork = (): [string, SilentMachine] | undefined => [...machines].find(([, { running }]) => running.length > 0);
  for (const { atMinute, refusedHours } of hangs)
    after(atMinute * 60_000, () => {
      const [id, machine] = atWork() ?? [];
      machine?.hang();
      if (id !== undefined && refusedHours > 0) world.protect(id, refusedHours * 3_600_000);
    });
  for (const { atMinute, hours, refused } of cutOffs)
    after(atMinute * 60_000, () => {
      const [id, machine] = atWork() ?? [];
      machine?.cutOff(hours * 3_600_000);
      if (id !== undefined && refused) world.protect(id);
    });
  for (const zone of zones) after(zone.atMinute * 60_000, () => fail(zone, world));
}

function fail(
  { zone, reportedAfterMinutes, reportedShare }: ZoneFailure,
  { after, chance, machines, zoneOf, close, end }: SilencesWorld,
): void {
  close(zone);
  const inZone = [...machines].filter(([id]) => zoneOf(id) === zone).toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [, machine] of inZone) {
    if (chance.happens(hangRate)) machine.hang();
    else machine.cutOff(Number.POSITIVE_INFINITY);
  }
  const drawn = inZone.map(([id]) => ({ id, draw: chance.next() })).toSorted((a, b) => a.draw - b.draw);
  const reported = drawn.slice(0, Math.ceil(drawn.length * reportedShare));
  after(reportedAfterMinutes * 60_000, () => {
    for (const { id } of reported) end(id);
  });
}
