import type { Launch, LaunchOutcome } from "../../model/launch.ts";
import type { Faults } from "./faults.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What keeps EC2 from carrying out launches, or from responding to them. */
export class LaunchTrouble {
  readonly #clock: VirtualClock;
  readonly #faults: Faults;
  readonly #throttledTokens = new Set<string>();
  /** Client tokens of launches that EC2 has carried out. Throttling such a token must not be final, because its instances exist. */
  readonly #takenTokens = new Set<string>();
  #deafUntilMs = 0;

  constructor({ clock, faults }: { readonly clock: VirtualClock; readonly faults: Faults }) {
    this.#clock = clock;
    this.#faults = faults;
  }

  /** Schedules the minutes in which no launch gets a response. */
  begin(spanMs: number): void {
    if (!this.#faults.draws("ec2.deaf")) return;
    const chance = this.#faults.chance("ec2.deaf");
    const [atMs, forMs] = [chance.between(0, spanMs), chance.between(60_000, 840_000)];
    this.#clock.after(atMs, () => {
      this.#deafUntilMs = this.#clock.nowMs + forMs;
    });
  }

  /** Returns the outcome of a launch that EC2 does not carry out, or undefined if it does. */
  met(launch: Launch): LaunchOutcome | undefined {
    return this.#throttled(launch) ?? (this.#faults.strikes("ec2.turned-away", "launch") ? this.#turnedAway(launch) : undefined);
  }

  /** Reports whether no launch gets a response now. */
  isDeaf(): boolean {
    if (this.#faults.isCalm || this.#deafUntilMs <= this.#clock.nowMs) return false;
    this.#faults.count("ec2.deaf", "launch");
    return true;
  }

  carriedOut({ clientToken }: Launch): void {
    this.#takenTokens.add(clientToken);
  }

  /** Throttles a launch by chance. If EC2 had created the fleet and throttled it from within, its token returns that result for good. */
  #throttled({ clientToken }: Launch): LaunchOutcome | undefined {
    const message = "RequestLimitExceeded: Request limit exceeded.";
    const isKnown = this.#throttledTokens.has(clientToken);
    if (!isKnown && !this.#faults.strikes("ec2.throttle", "launch")) return undefined;
    const isFinal = isKnown || (!this.#takenTokens.has(clientToken) && this.#faults.chance("ec2.throttle").happens(0.4));
    if (isFinal) this.#throttledTokens.add(clientToken);
    return { kind: "throttled", message, ...(isFinal ? { final: true } : {}) };
  }

  #turnedAway({ offers }: Launch): LaunchOutcome {
    const isConflict = this.#faults.chance("ec2.turned-away").happens(0.3);
    const code = isConflict ? "IdempotentParameterMismatch" : "UnauthorizedOperation";
    const refusals = offers.map(({ instanceType, zone, market }) => ({ instanceType, zone, market, code, why: "fault" as const }));
    return { kind: "turned-away", code, message: "the launch was turned away", refusals, isConflict };
  }
}
