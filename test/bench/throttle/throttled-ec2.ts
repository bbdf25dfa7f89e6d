import type { Launch, LaunchOutcome } from "../../../lib/model/launch.ts";
import type { BucketLimits } from "../../../lib/model/requests/request-limits.ts";
import type { Fleet } from "../../../lib/ports/fleet.ts";
import { MemoryFleet } from "../../../lib/sim/memory/fleet.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** The time of a call to or from EC2, and the time that EC2 takes for a CreateFleet, in ms. */
const travelMs = { least: 5, most: 60 };
const thinkMs = { least: 700, most: 1_800 };

/**
 * An EC2 that throttles CreateFleet as documented, with a token bucket: a call takes one token, and a refused call takes none. It does not
 * use the product's code for the bucket, so that it is an independent check.
 */
export class ThrottledEc2 implements Fleet {
  readonly memory = new MemoryFleet();
  refused = 0;
  accepted = 0;
  lastLaunchMs = 0;
  #tokens: number;
  #filledMs: number;
  readonly #time: VirtualTime;
  readonly #random: () => number;
  readonly #limits: BucketLimits;

  constructor(of: { time: VirtualTime; random: () => number; limits: BucketLimits }) {
    this.#time = of.time;
    this.#random = of.random;
    this.#limits = of.limits;
    this.#tokens = of.limits.burst;
    this.#filledMs = of.time.nowMs;
  }

  async launch(launch: Launch): Promise<LaunchOutcome> {
    await this.#between(travelMs);
    if (!this.#isTaken()) {
      this.refused += 1;
      await this.#between(travelMs);
      return { kind: "throttled", message: "RequestLimitExceeded: Request limit exceeded." };
    }
    this.accepted += 1;
    const outcome = await this.memory.launch(launch);
    this.lastLaunchMs = this.#time.nowMs;
    await this.#between(thinkMs);
    return outcome;
  }

  terminate: Fleet["terminate"] = (instances) => this.memory.terminate(instances);
  impaired: Fleet["impaired"] = (instances) => this.memory.impaired(instances);
  look: Fleet["look"] = (instances) => this.memory.look(instances);
  find: Fleet["find"] = (launch) => this.memory.find(launch);

  #isTaken(): boolean {
    const { burst, perSecond } = this.#limits;
    const { nowMs } = this.#time;
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledMs) / 1000) * perSecond);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #between({ least, most }: { least: number; most: number }): Promise<void> {
    return this.#time.sleep(least + this.#random() * (most - least));
  }
}
