import type { Faults } from "./faults.ts";
import type { VirtualClock } from "./virtual-clock.ts";

type World = { readonly clock: VirtualClock; readonly faults: Faults };
type MachineFault = "worker.crash" | "worker.freeze" | "worker.partition" | "worker.death";
type InstanceFault = "ec2.sudden-end" | "ec2.stopped-by-hand" | "spot.interruption" | "spot.rebalance";

/** Schedules the faults of a machine, and what each does for how long. Those that are due when it has ended do nothing. */
export function scheduleMachineFaults(
  { clock, faults }: World,
  { id, isHalted }: { readonly id: string; readonly isHalted: () => boolean },
  acts: Readonly<Record<MachineFault, (forMs: number) => void>>,
): void {
  for (const kind of ["worker.crash", "worker.freeze", "worker.partition", "worker.death"] as const) {
    if (!faults.draws(kind)) continue;
    const chance = faults.chance(kind);
    const [afterMs, forMs] = [
      chance.between(1_000, 300_000),
      chance.pick([chance.between(1_000, 60_000), chance.between(60_000, kind === "worker.partition" ? 4_800_000 : 1_200_000)]),
    ];
    clock.after(afterMs, () => {
      if (faults.isCalm || isHalted()) return;
      faults.count(kind, id);
      acts[kind](forMs);
    });
  }
}

/** EC2 does not let anyone stop a spot instance of a fleet. */
const faultsOf = {
  "on-demand": ["ec2.sudden-end", "ec2.stopped-by-hand"],
  spot: ["ec2.sudden-end", "spot.interruption", "spot.rebalance"],
} as const;

/** Schedules the faults of an instance's life. Those that are due when it has ended do nothing. */
export function scheduleInstanceFaults(
  { clock, faults }: World,
  { id, market, isLive }: { readonly id: string; readonly market: keyof typeof faultsOf; readonly isLive: () => boolean },
  acts: Readonly<Record<InstanceFault, () => void>>,
): void {
  for (const kind of faultsOf[market]) {
    if (!faults.draws(kind)) continue;
    clock.after(faults.chance(kind).between(5_000, 420_000), () => {
      if (faults.isCalm || !isLive()) return;
      faults.count(kind, id);
      acts[kind]();
    });
  }
}
