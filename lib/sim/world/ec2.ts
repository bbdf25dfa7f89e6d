import type { Launch } from "../../model/launch.ts";
import { offerName } from "../../model/offer.ts";
import { interruptionWarningMs } from "../../model/telemetry.ts";
import type { Fleet } from "../../ports/fleet.ts";
import type { TaggedInstances } from "../../ports/orphans.ts";
import { Described, type Shown } from "../faults/described.ts";
import type { Faults } from "../faults/faults.ts";
import { LaunchTrouble } from "../faults/launch-trouble.ts";
import { scheduleInstanceFaults } from "../faults/machine-faults.ts";
import { MemoryFleet } from "../memory/fleet.ts";
import { Ec2Events, type Ec2EventsWorld } from "./ec2-events.ts";
import type { Scenario } from "./scenario.ts";

export type Ec2World = Ec2EventsWorld & {
  readonly isIntended: (launch: Launch) => boolean;
  /** Called when an instance has booted, for the first time or again. Its machine should start. */
  readonly booted: (id: string, launch: Launch) => void;
  /** Called when an instance has stopped, which may boot again. */
  readonly stopped: (id: string) => void;
  /** Called when an instance has ended. */
  readonly ended: (id: string) => void;
};

/** How many of the instances that somebody stops are started again. */
const startedRate = 0.5;

const codes = [
  "InsufficientInstanceCapacity",
  "UnfulfillableCapacity",
  "MaxSpotInstanceCountExceeded",
  "VcpuLimitExceeded",
  "SomethingNew",
] as const;

/** EC2 in virtual time. It adds delays, shortages, lost calls, interruptions and events to the EC2 in memory. */
export class SimEc2 {
  readonly fleet = new MemoryFleet();
  readonly #world: Ec2World;
  readonly #scenario: Scenario;
  readonly #dry = new Map<string, { readonly untilMs: number; readonly code: string }>();
  readonly #described: Described;
  readonly events: Ec2Events;
  readonly #begunAtMs = new Map<string, number>();
  readonly #reported = new Set<string>();
  /** How often each instance has begun to boot. */
  readonly #boots = new Map<string, number>();
  /** Zones in which nothing boots until the faults stop. */
  readonly #closed = new Set<string>();
  /** Instances that somebody has stopped. */
  readonly #off = new Set<string>();
  readonly #trouble: LaunchTrouble;

  constructor(world: Ec2World, scenario: Scenario) {
    this.#world = world;
    this.#scenario = scenario;
    this.events = new Ec2Events(world);
    this.#described = new Described(world);
    this.#trouble = new LaunchTrouble(world);
    this.fleet.shutDown = (id) => this.#shutDown(id);
  }

  /** Schedules the scripted and the random events: when offers run dry, and when spot instances are interrupted. */
  begin(): void {
    const { clock, faults } = this.#world;
    const spanMs = this.#scenario.minutes * 60_000;
    for (const offer of this.#scenario.offers) {
      if (!faults.draws("ec2.dry")) continue;
      const chance = faults.chance("ec2.dry");
      const [atMs, forMs, code] = [chance.between(0, spanMs), chance.between(20_000, 240_000), chance.pick(codes)];
      clock.after(atMs, () => {
        if (faults.isCalm) return;
        faults.count("ec2.dry", offerName(offer));
        this.#dry.set(offerName(offer), { untilMs: clock.nowMs + forMs, code });
      });
    }
    for (const taken of this.#scenario.spotTrace) clock.after(taken.atSecond * 1000, () => this.#takeBack(taken, taken.notice));
    this.#trouble.begin(spanMs);
    if (faults.draws("spot.storm")) {
      const { zone } = faults.chance("spot.storm").pick(this.#scenario.offers);
      clock.after(faults.chance("spot.storm").between(0, spanMs), () => {
        if (faults.isCalm) return;
        faults.count("spot.storm", zone);
        this.#takeBack({ zone }, true);
      });
    }
  }

  /** The port that handlers call. It never throws. */
  readonly port: Fleet = {
    launch: async (launch) => {
      const met = this.#trouble.met(launch);
      if (met) return met;
      const isDeaf = this.#trouble.isDeaf();
      if (isDeaf && this.#world.faults.chance("ec2.deaf").happens(0.5)) return { kind: "unknown", message: "there was no response" };
      this.#trouble.carriedOut(launch);
      this.#stock(launch);
      const before = new Set(this.fleet.instances.keys());
      const outcome = await this.fleet.launch(launch);
      for (const id of this.fleet.instances.keys()) if (!before.has(id)) this.#begun(id, launch);
      await this.#late();
      return isDeaf || this.#strikes("ec2.lost-answer", "launch")
        ? { kind: "unknown", message: "TimeoutError: the response was lost" }
        : outcome;
    },
    find: async (launch) => {
      if (this.#strikes("ec2.throttle", "find")) return { kind: "unknown", message: "RequestLimitExceeded" };
      const found = await this.fleet.find(launch);
      if (found.kind !== "read") return found;
      const shown = this.#described.read(found.instances.map(({ id }) => id));
      await this.#late();
      const there = found.instances.filter(({ id }) => shown.get(id) !== "absent");
      return { kind: "read", instances: there.map((each) => ({ ...each, over: shown.get(each.id) === "terminated" })) };
    },
    terminate: async (ids) => {
      if (this.#strikes("ec2.throttle", "terminate")) return all(ids, "throttled");
      // An unknown instance fails the whole call, and EC2's error names it.
      const hidden = ids.filter((id) => !this.#described.isVisible(id));
      if (hidden.length > 0) return new Map(ids.map((id) => [id, hidden.includes(id) ? "accepted" : "apart"]));
      for (const id of ids.filter(this.isLive)) this.#world.emit({ kind: "terminated", id });
      const ended = await this.fleet.terminate(ids);
      await this.#late();
      return this.#strikes("ec2.lost-answer", "terminate") ? all(ids, "unknown") : ended;
    },
    look: async (ids) => {
      if (this.#strikes("ec2.throttle", "look")) return all(ids, "throttled");
      const shown = this.#described.read(ids);
      await this.#late();
      return shown;
    },
    impaired: (ids) => this.fleet.impaired(ids),
  };

  /** The instances that the tick finds by their tags. */
  readonly instances: TaggedInstances = {
    list: async () => {
      if (this.#strikes("ec2.throttle", "list")) return undefined;
      const all = [...this.fleet.instances.values()];
      const shown = this.#described.read(all.map(({ id }) => id));
      await this.#late();
      const isListed = (is: Shown | undefined): boolean => is !== "absent" && is !== "terminated";
      return all
        .filter(({ id }) => isListed(shown.get(id)))
        .map(({ id, launch }) => ({
          id,
          launch: launch.id,
          pool: launch.pool,
          launchedAtMs: this.#begunAtMs.get(id) ?? 0,
          ending: shown.get(id) === "ending",
        }));
    },
  };

  /** Ends the supply of a zone until the faults stop. */
  close(zone: string): void {
    this.#closed.add(zone);
    const code = "InsufficientInstanceCapacity";
    for (const offer of this.#scenario.offers.filter((each) => each.zone === zone))
      this.#dry.set(offerName(offer), { untilMs: Number.POSITIVE_INFINITY, code });
  }

  /** Opens all zones. */
  calmDown(): void {
    this.#closed.clear();
  }

  /** Refuses to terminate an instance, for good or for some time, because somebody has forbidden it. */
  protect(id: string, forMs?: number): void {
    const { protected: kept } = this.fleet;
    kept.add(id);
    if (forMs !== undefined) this.#world.clock.after(forMs, () => void kept.delete(id));
  }

  isLive = (id: string): boolean => this.fleet.instances.get(id)?.over === false;

  /** Ends an instance without a call to `terminate`: it shuts itself down, or EC2 takes it back. */
  end(id: string): void {
    if (!this.isLive(id)) return;
    this.fleet.end(id);
    this.#described.changed(id, "terminated");
    this.#over(id);
  }

  /** Lets an instance shut down, which takes up to five minutes. Its programs run on until it has ended. */
  #shutDown(id: string): void {
    if (!this.isLive(id) || this.fleet.ending.has(id)) return;
    this.fleet.ending.add(id);
    this.#described.changed(id, "ending");
    const { clock, faults } = this.#world;
    const longestMs = faults.strikes("ec2.slow-end", id) ? 300_000 : 10_000;
    clock.after(faults.chance("ec2.slow-end").between(0, longestMs), () => this.end(id));
  }

  #strikes(kind: Parameters<Faults["strikes"]>[0], about: string): boolean {
    return this.#world.faults.strikes(kind, about);
  }

  /** Sets the capacity that EC2 has now for each offer of a launch. */
  #stock(launch: Launch): void {
    const { clock, faults } = this.#world;
    for (const offer of launch.offers) {
      const name = offerName(offer);
      const most = this.#scenario.offers.find((each) => offerName(each) === name)?.capacity ?? Number.POSITIVE_INFINITY;
      const taken = this.fleet.live.filter((each) => offerName(each.offer) === name).length;
      const dry = faults.isCalm ? undefined : this.#dry.get(name);
      if (dry && dry.untilMs > clock.nowMs) this.fleet.refuse(offer, dry.code);
      else this.fleet.restock(offer, Math.max(0, most - taken));
    }
  }

  #late(): Promise<void> {
    const { clock, faults } = this.#world;
    if (!faults.strikes("ec2.late-answer")) return Promise.resolve();
    return new Promise((resolve) => void clock.after(faults.chance("ec2.late-answer").between(1_000, 14_000), resolve));
  }

  #begun(id: string, launch: Launch): void {
    const { clock, faults, note, emit, isIntended } = this.#world;
    this.#begunAtMs.set(id, clock.nowMs);
    note("EC2 launches", id, "for", launch.id);
    emit({ kind: "instance", id, launch, intended: isIntended(launch) });
    this.#described.begun(id);
    if (!faults.strikes("ec2.no-boot", id)) this.#boot(id, launch);
    const acts = {
      "ec2.sudden-end": () => this.end(id),
      "ec2.stopped-by-hand": () => this.#stop(id, launch),
      "spot.interruption": () => this.#interrupt(id, true),
      "spot.rebalance": () => this.events.warn(id, "rebalance"),
    };
    scheduleInstanceFaults({ clock, faults }, { id, market: launch.market, isLive: () => this.isLive(id) }, acts);
  }

  /** Somebody stops an instance, and perhaps starts it again. Until it has stopped, its programs run on. */
  #stop(id: string, launch: Launch): void {
    const { clock, faults, note, emit, stopped } = this.#world;
    const chance = faults.chance("ec2.stopped-by-hand");
    const mayGoOn = (): boolean => this.isLive(id) && !this.fleet.ending.has(id);
    if (!mayGoOn()) return;
    this.#described.changed(id, "ending");
    clock.after(chance.between(2_000, 120_000), () => {
      if (!mayGoOn()) return;
      note("somebody has stopped", id);
      this.#off.add(id);
      this.#described.changed(id, "stopped");
      stopped(id);
      emit({ kind: "stopped", id });
      this.events.changed(id, "stopped");
      if (chance.happens(startedRate))
        clock.after(chance.between(5_000, chance.pick([60_000, 900_000])), () => mayGoOn() && this.#start(id, launch));
    });
  }

  #start(id: string, launch: Launch): void {
    this.#world.note("somebody starts", id, "again");
    this.#off.delete(id);
    this.#described.changed(id, "live");
    this.events.changed(id, "running");
    this.#boot(id, launch);
  }

  #boot(id: string, launch: Launch): void {
    const { clock, faults, booted } = this.#world;
    const { from, to } = this.#scenario.bootSeconds;
    // An instance that was stopped while it booted does not go on with that when it is started again.
    const nth = (this.#boots.get(id) ?? 0) + 1;
    this.#boots.set(id, nth);
    const isNewest = (): boolean => this.#boots.get(id) === nth && !this.#off.has(id);
    const boots = (): boolean => this.isLive(id) && isNewest() && !this.#closed.has(this.fleet.instances.get(id)?.zone ?? "");
    clock.after(faults.chance("ec2.no-boot").between(from * 1000, to * 1000), () => boots() && booted(id, launch));
  }

  #takeBack(which: { readonly zone?: string | undefined; readonly instanceType?: string | undefined }, notice: boolean): void {
    for (const { id, offer } of this.fleet.live) {
      const isMeant = (which.zone ?? offer.zone) === offer.zone && (which.instanceType ?? offer.instanceType) === offer.instanceType;
      if (isMeant && offer.market === "spot") this.#interrupt(id, notice);
    }
  }

  #interrupt(id: string, notice: boolean): void {
    if (notice) this.events.warn(id, "interruption");
    this.#world.clock.after(notice ? interruptionWarningMs : 0, () => this.end(id));
  }

  #over(id: string): void {
    if (this.#reported.has(id)) return;
    this.#reported.add(id);
    this.#world.note("instance has ended", id);
    this.#world.emit({ kind: "ended", id });
    this.#world.ended(id);
    this.events.changed(id, "terminated");
  }
}

const all = <T>(ids: readonly string[], one: T): ReadonlyMap<string, T> => new Map(ids.map((id) => [id, one]));
