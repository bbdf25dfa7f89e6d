import { FleetError } from "../../model/fleet-error.ts";
import type { Artifacts } from "../../ports/artifacts.ts";
import type { Fleet } from "../../ports/fleet.ts";
import type { TaggedInstances } from "../../ports/orphans.ts";

/** What an outage takes away. `functions`: no function runs. `network`: no call to `node` arrives, of workers or of the tick. `table`, `ec2`: no call is carried out. `keys`: KMS encrypts nothing, so that nothing can be sealed. */
export const outageParts = ["functions", "network", "table", "ec2", "keys"] as const;
export type OutagePart = (typeof outageParts)[number];

/** A time in which a part of the deployment, or of AWS, is out of reach for everybody. In minutes of the run. */
export type Outage = { readonly of: OutagePart; readonly fromMinute: number; readonly untilMinute: number };

/** Returns when a run's outages of these parts begin and end, ms since the epoch; those of all parts if none is named. */
export function outageTimes(
  { startsAt, outages }: { readonly startsAt: string; readonly outages: readonly Outage[] },
  ...parts: readonly OutagePart[]
): readonly { readonly fromMs: number; readonly untilMs: number }[] {
  const msAt = (minute: number): number => Date.parse(startsAt) + minute * 60_000;
  return outages
    .filter(({ of }) => parts.length === 0 || parts.includes(of))
    .map(({ fromMinute, untilMinute }) => ({ fromMs: msAt(fromMinute), untilMs: msAt(untilMinute) }));
}

/** Says what is out of reach now. Unlike faults, outages are written in the scenario, and each lasts until its end. */
export class Outages {
  readonly #outages: readonly Outage[];
  readonly #minute: () => number;

  constructor(outages: readonly Outage[], minute: () => number) {
    this.#outages = outages;
    this.#minute = minute;
  }

  isOut(part: OutagePart): boolean {
    return this.minutesLeft(part) > 0;
  }

  /** Returns for how many more minutes the part is out of reach. 0 if it can be reached. */
  minutesLeft(part: OutagePart): number {
    const now = this.#minute();
    const present = this.#outages.filter(({ of, fromMinute, untilMinute }) => of === part && fromMinute <= now && now < untilMinute);
    return Math.max(0, ...present.map(({ untilMinute }) => untilMinute - now));
  }
}

/** Returns what seals, which fails while KMS is out of reach. */
export function unlessKeysAreOut(artifacts: Artifacts, outages: Outages): Artifacts {
  const insist = (): void => {
    if (outages.isOut("keys")) throw new FleetError("unavailable", "the key is disabled", { retry: true });
  };
  return {
    uploaded: (attempt) => artifacts.uploaded(attempt),
    sealedList: (attempt) => artifacts.sealedList(attempt),
    seal: async (...of) => {
      insist();
      return artifacts.seal(...of);
    },
    sealList: async (manifest) => {
      insist();
      return artifacts.sealList(manifest);
    },
  };
}

/** EC2, of which no call is carried out during its outages. */
export function unlessOut(ec2: { readonly port: Fleet; readonly instances: TaggedInstances }, outages: Outages) {
  const unknown = { kind: "unknown", message: "TimeoutError: there was no response" } as const;
  const each = <T>(ids: readonly string[], one: T): ReadonlyMap<string, T> => new Map(ids.map((id) => [id, one]));
  const { port, instances } = ec2;
  const fleet: Fleet = {
    launch: async (launch) => (outages.isOut("ec2") ? unknown : port.launch(launch)),
    find: async (launch) => (outages.isOut("ec2") ? unknown : port.find(launch)),
    terminate: async (ids) => (outages.isOut("ec2") ? each(ids, "unknown") : port.terminate(ids)),
    look: async (ids) => (outages.isOut("ec2") ? each(ids, "unknown") : port.look(ids)),
    impaired: async (ids) => (outages.isOut("ec2") ? undefined : port.impaired(ids)),
  };
  const tagged: TaggedInstances = { list: async () => (outages.isOut("ec2") ? undefined : instances.list()) };
  return { fleet, instances: tagged };
}
