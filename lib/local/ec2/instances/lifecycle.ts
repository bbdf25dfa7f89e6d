import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FleetError } from "../../../model/fleet-error.ts";
import type { LocalLog } from "../../run/log-line.ts";
import type { Ec2Behaviour } from "../behaviour/behaviour.ts";
import { between } from "../behaviour/seeded.ts";
import type { EmulatedCapacity } from "../offers/capacity.ts";
import { type InstanceFacts, type InstanceNotices, type InstanceRecord, type InstanceStateName, spotTermination } from "./instance.ts";
import { createMachine, type InstanceMachine, type MachineRoom } from "./instance-process.ts";
import type { StateEvents } from "./state-events.ts";

/**
 * The life of every instance: pending → running → (its worker boots and works) → shutting-down → terminated.
 * An instance ends by TerminateInstances, by its worker's exit, by an interruption, or by a control of the local cloud.
 */
export type Lifecycle = {
  readonly instances: readonly InstanceRecord[];
  get(id: string): InstanceRecord | undefined;
  state(id: string): InstanceStateName | undefined;
  /** Whether EC2's responses include the instance: they do not include it yet shortly after its launch, and no longer if it vanished. */
  isVisible(id: string): boolean;
  begin(instance: InstanceFacts): void;
  /** Changes the state to shutting-down at once and resolves when the instance is terminated. Harmless if it has ended already. */
  shutDown(id: string, because: string): Promise<void>;
  /**
   * Notifies a spot instance and ends it after the notice. Returns the time of its end. Later notices do not change it.
   * Throws the Faults `no-instance`, `not-spot` (it is on-demand) and `not-running` (it has ended or is about to).
   */
  interrupt(id: string, noticeMs?: number): number;
  /** Notifies a spot instance, once, that it is at elevated risk. Throws the same Faults as `interrupt`. */
  recommendRebalance(id: string): void;
  /** Removes an instance silently: there is no event, and EC2's responses no longer include it. */
  vanish(id: string): Promise<void>;
  machine(id: string): InstanceMachine;
  close(): Promise<void>;
};

type Entry = {
  readonly record: InstanceRecord;
  readonly states: { state: InstanceStateName; atMs: number; because: string }[];
  readonly machine: InstanceMachine;
  /** Aborts the rest of its start. */
  readonly start: AbortController;
  readonly visibleAtMs: number;
  vanished: boolean;
  notices: InstanceNotices;
  ending?: Promise<void>;
};

type World = {
  readonly behaviour: Ec2Behaviour;
  readonly capacity: EmulatedCapacity;
  readonly events: StateEvents;
  readonly room: MachineRoom;
  readonly stateFolder: string;
  draw(): number;
  now(): number;
  readonly log: LocalLog;
};

export function createLifecycle(world: World): Lifecycle {
  const { behaviour } = world;
  const entries = new Map<string, Entry>();
  const instances: InstanceRecord[] = [];

  const enter = (entry: Entry, state: InstanceStateName, because: string): void => {
    entry.states.push({ state, atMs: world.now(), because });
    world.log({ message: "instance changed state", instance: entry.record.id, state, because });
    if (!entry.vanished) world.events.emit(entry.record, { kind: "state", state });
  };
  const stateOf = (entry: Entry): InstanceStateName => entry.states.at(-1)?.state ?? "pending";

  const live = async (entry: Entry): Promise<void> => {
    const { signal } = entry.start;
    await sleep(behaviour.pendingMs, undefined, { signal });
    enter(entry, "running", "launched");
    await sleep(between(behaviour.bootMs, world.draw), undefined, { signal });
    const because = await entry.machine.run();
    if (because !== undefined) await shutDown(entry, because);
  };

  const turnOff = async (entry: Entry, because: string, graceMs: number): Promise<void> => {
    entry.start.abort();
    try {
      await entry.machine.end(graceMs);
    } catch (error) {
      world.log({ message: "instance processes not ended", instance: entry.record.id, error });
    }
    enter(entry, "terminated", because);
    world.capacity.giveBack(entry.record, 1);
  };
  const shutDown = (entry: Entry, because: string): Promise<void> => {
    if (entry.ending === undefined) {
      enter(entry, "shutting-down", because);
      entry.ending = turnOff(entry, because, behaviour.shutdownMs);
    }
    return entry.ending;
  };

  const found = (id: string): Entry => {
    const entry = entries.get(id);
    if (entry === undefined) throw new FleetError("no-instance", `There is no instance ${id}`);
    return entry;
  };
  const interruptible = (id: string): Entry => {
    const entry = found(id);
    if (entry.record.market !== "spot") throw new FleetError("not-spot", `${id} is an on-demand instance, which EC2 does not interrupt`);
    if (entry.ending !== undefined) throw new FleetError("not-running", `${id} has ended`);
    return entry;
  };

  return {
    instances,
    get: (id) => entries.get(id)?.record,
    state(id) {
      const entry = entries.get(id);
      return entry && stateOf(entry);
    },
    isVisible(id) {
      const entry = entries.get(id);
      if (entry === undefined) return true;
      return !entry.vanished && world.now() >= entry.visibleAtMs;
    },
    begin(facts) {
      const states: Entry["states"] = [];
      const machine = createMachine(world.room, facts, { folder: join(world.stateFolder, facts.id), notices: () => entry.notices });
      const record: InstanceRecord = {
        ...facts,
        launchedAtMs: world.now(),
        states,
        folder: machine.folder,
        get workerPid() {
          return machine.pid();
        },
        get notices() {
          return entry.notices;
        },
        get vanished() {
          return entry.vanished;
        },
      };
      const visibleAtMs = world.now() + between(behaviour.describeLagMs, world.draw);
      const entry: Entry = { record, states, machine, start: new AbortController(), visibleAtMs, vanished: false, notices: {} };
      entries.set(facts.id, entry);
      instances.push(record);
      enter(entry, "pending", "launched");
      live(entry).catch((error: unknown) => {
        if (!entry.start.signal.aborted) world.log({ message: "instance failed", instance: facts.id, error });
      });
    },
    shutDown: (id, because) => shutDown(found(id), because),
    interrupt(id, noticeMs = behaviour.interruptionNoticeMs) {
      const entry = interruptible(id);
      if (entry.notices.endsAtMs !== undefined) return entry.notices.endsAtMs;
      const endsAtMs = world.now() + noticeMs;
      entry.notices = { ...entry.notices, endsAtMs };
      world.events.emit(entry.record, { kind: "interruption" });
      sleep(noticeMs, undefined, { signal: entry.start.signal }).then(
        () => shutDown(entry, spotTermination),
        () => undefined,
      );
      return endsAtMs;
    },
    recommendRebalance(id) {
      const entry = interruptible(id);
      if (entry.notices.rebalanceAtMs !== undefined) return;
      entry.notices = { ...entry.notices, rebalanceAtMs: world.now() };
      world.events.emit(entry.record, { kind: "rebalance" });
    },
    async vanish(id) {
      const entry = found(id);
      entry.vanished = true;
      entry.ending ??= turnOff(entry, "vanished", 0);
      await entry.ending;
    },
    machine: (id) => found(id).machine,
    async close() {
      await Promise.all(
        [...entries.values()].map((entry) => {
          entry.start.abort();
          return entry.ending ?? entry.machine.end(behaviour.shutdownMs);
        }),
      );
    },
  };
}
