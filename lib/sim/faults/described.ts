import type { InstanceStatus } from "../../ports/fleet.ts";
import type { Faults } from "./faults.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What EC2 shows of an instance. */
export type Shown = Extract<InstanceStatus, "live" | "ending" | "stopped" | "terminated" | "absent">;

type Change = { readonly atMs: number; readonly shown: Shown };

/** EC2's reads agree with its writes within a minute. */
const maxLagMs = 60_000;
/** Shorter than the minute after which the fleet believes a second read without the instance. */
const maxAbsentMs = 50_000;
/** Once left out, an instance is shown again in all reads for this long, because two times without it are no proof together. */
const shownAgainMs = 15 * 60_000;

/** What EC2 shows of its instances, which is not always what is: reads are behind, or leave out an instance that exists. */
export class Described {
  readonly #clock: VirtualClock;
  readonly #faults: Faults;
  readonly #changes = new Map<string, Change[]>();
  readonly #hiddenUntilMs = new Map<string, number>();

  constructor({ clock, faults }: { readonly clock: VirtualClock; readonly faults: Faults }) {
    this.#clock = clock;
    this.#faults = faults;
  }

  /** Notes a new instance, which may stay invisible for up to a minute. */
  begun(id: string): void {
    this.changed(id, "live");
    if (this.#faults.strikes("ec2.invisible", id)) this.#hide(id, this.#faults.chance("ec2.invisible").between(1_000, 60_000));
  }

  changed(id: string, shown: Shown): void {
    const changes = this.#changes.get(id) ?? [];
    changes.push({ atMs: this.#clock.nowMs, shown });
    this.#changes.set(id, changes);
  }

  isVisible(id: string): boolean {
    return this.#faults.isCalm || (this.#hiddenUntilMs.get(id) ?? 0) <= this.#clock.nowMs;
  }

  /** Returns what one read shows of these instances. All of it is from the same time. */
  read(ids: readonly string[]): ReadonlyMap<string, Shown> {
    const isStale = ids.length > 0 && this.#faults.strikes("ec2.stale-look", `${ids.length} instances`);
    const asOfMs = this.#clock.nowMs - (isStale ? this.#faults.chance("ec2.stale-look").between(1_000, maxLagMs) : 0);
    return new Map(ids.map((id) => [id, this.#shown(id, asOfMs)]));
  }

  #shown(id: string, asOfMs: number): Shown {
    const shown = this.#changes.get(id)?.findLast(({ atMs }) => atMs <= asOfMs)?.shown ?? "absent";
    if (shown === "absent" || !this.isVisible(id)) return "absent";
    if (this.#clock.nowMs - (this.#hiddenUntilMs.get(id) ?? Number.NEGATIVE_INFINITY) < shownAgainMs) return shown;
    if (!this.#faults.strikes("ec2.absent-look", id)) return shown;
    this.#hide(id, this.#faults.chance("ec2.absent-look").between(1_000, maxAbsentMs));
    return "absent";
  }

  #hide(id: string, forMs: number): void {
    this.#hiddenUntilMs.set(id, this.#clock.nowMs + forMs);
  }
}
