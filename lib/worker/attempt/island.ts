import { withCauses } from "../../model/errors/in-words.ts";

/**
 * When a node ends itself because its worker gets no response. What runs goes on meanwhile: an outage of ours must not cost a user's work,
 * and the service gives that work to no other node before EC2 says that this instance has ended.
 *
 * Times are monotonic ms. They count from when a call was sent, not from its response.
 */
export type Contact = {
  /** When the last call that got a response was sent. */
  readonly atMs: number;
  /** How long after it a node with work goes on. */
  readonly islandMs: number;
};

/** The time since calls get no response. A refusal without a verdict of the server, such as a 403 of something in front of it, is none. */
export class Silence {
  #sinceMs: number | undefined;
  #why: string | undefined;

  get isOn(): boolean {
    return this.#sinceMs !== undefined;
  }

  get why(): string | undefined {
    return this.#why;
  }

  /** Notes that a call got no response, and why. */
  note(error: unknown, nowMs: number): void {
    this.#sinceMs ??= nowMs;
    this.#why = withCauses(error).slice(0, longestReason).toWellFormed();
  }

  end(): void {
    this.#sinceMs = undefined;
    this.#why = undefined;
  }

  forMs(nowMs: number): number {
    return this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs;
  }
}

const longestReason = 300;

/** How long a node without work waits for a response, also after its start. */
export const idleIslandMs = 15 * 60_000;
/** How often a worker looks whether it should end its node. */
const lookEveryMs = 60_000;

/** `hold`: look again at `untilMs`, at the latest. `shut-down`: end the instance. */
export type IslandVerdict = { readonly kind: "hold"; readonly untilMs: number } | { readonly kind: "shut-down"; readonly because: string };

export function judgeIsland(at: {
  readonly nowMs: number;
  readonly startedMs: number;
  /** Undefined before the first response. */
  readonly contact?: Contact | undefined;
  readonly hasWork: boolean;
  /** Why the last call got no response; undefined if it got one. */
  readonly why?: string | undefined;
}): IslandVerdict {
  const { nowMs, startedMs, contact, hasWork, why } = at;
  const last = why === undefined ? "" : `; the last one: ${why}`;
  const endsMs = hasWork && contact ? contact.atMs + contact.islandMs : (contact?.atMs ?? startedMs) + idleIslandMs;
  if (nowMs < endsMs) return { kind: "hold", untilMs: Math.min(endsMs, nowMs + lookEveryMs) };
  if (contact === undefined) return { kind: "shut-down", because: `no call of this node ever got orders${last}` };
  return { kind: "shut-down", because: `no call has got a response for ${inHours(nowMs - contact.atMs)}${last}` };
}

const inHours = (ms: number): string => (ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`);
