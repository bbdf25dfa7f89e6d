import type { InstanceEvent } from "../../../events/instance.ts";
import { type Notice, saysMore } from "../../model/telemetry.ts";
import type { Faults } from "../faults/faults.ts";
import type { SimClock } from "./clock.ts";
import type { Fact } from "./facts.ts";

export type Ec2EventsWorld = {
  readonly clock: SimClock;
  readonly faults: Faults;
  readonly emit: (fact: Fact) => void;
  readonly note: (...parts: readonly unknown[]) => void;
  /** Called when EC2 sends an event about an instance to the event bus. */
  readonly announce: (event: InstanceEvent) => void;
  /** Called when the instance's metadata service shows a notice. */
  readonly warned: (id: string, notice: Notice) => void;
};

/** What EC2 reports about instances: events on the bus, which may be lost, late or doubled, and notices in their metadata. */
export class Ec2Events {
  /** What each instance's metadata service shows. A recommendation hides no interruption. */
  readonly notices = new Map<string, Notice>();
  readonly #world: Ec2EventsWorld;

  constructor(world: Ec2EventsWorld) {
    this.#world = world;
  }

  warn(id: string, kind: Notice["kind"]): void {
    const { clock, warned, note, emit } = this.#world;
    note("EC2 warns of", kind, id);
    emit({ kind: "warned", id, notice: kind });
    const notice = { kind, atMs: clock.nowMs };
    if (saysMore(notice, this.notices.get(id))) {
      this.notices.set(id, notice);
      warned(id, notice);
    }
    this.#announce(kind === "rebalance" ? recommendationOf(id, clock.nowMs) : warningOf(id, clock.nowMs));
  }

  /** Announces that an instance has another state, some seconds after that. */
  changed(id: string, state: "stopped" | "running" | "terminated"): void {
    const { clock, faults } = this.#world;
    const atMs = clock.nowMs;
    clock.after(faults.chance("ec2.event-late").between(1_000, 30_000), () => this.#announce(changeOf({ id, state, atMs })));
  }

  /** Returns how late an event is: usually minutes, and sometimes up to an hour. */
  #lateMs(): number {
    const chance = this.#world.faults.chance("ec2.event-late");
    return chance.between(5_000, chance.pick([180_000, 180_000, 3_600_000]));
  }

  #announce(event: InstanceEvent): void {
    const { clock, faults, announce } = this.#world;
    const about = `${event["detail-type"]} ${event.detail["instance-id"]}`;
    if (faults.strikes("ec2.event-lost", about)) return;
    const late = faults.strikes("ec2.event-late", about) ? this.#lateMs() : 0;
    clock.after(late, () => announce(event));
    if (faults.strikes("ec2.event-twice", about)) {
      clock.after(late + faults.chance("ec2.event-twice").between(0, 60_000), () => announce(event));
    }
  }
}

const at = (nowMs: number) => ({ source: "aws.ec2", time: new Date(nowMs).toISOString() }) as const;

const recommendationOf = (id: string, nowMs: number): InstanceEvent => ({
  ...at(nowMs),
  "detail-type": "EC2 Instance Rebalance Recommendation",
  detail: { "instance-id": id },
});

const warningOf = (id: string, nowMs: number): InstanceEvent => ({
  ...at(nowMs),
  "detail-type": "EC2 Spot Instance Interruption Warning",
  detail: { "instance-id": id, "instance-action": "terminate" },
});

type Change = Pick<Extract<InstanceEvent, { "detail-type": "EC2 Instance State-change Notification" }>["detail"], "state"> & {
  readonly id: string;
  readonly atMs: number;
};

const changeOf = ({ id, state, atMs }: Change): InstanceEvent => ({
  ...at(atMs),
  "detail-type": "EC2 Instance State-change Notification",
  detail: { "instance-id": id, state },
});
