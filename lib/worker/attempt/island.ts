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
}): IslandVerdict {
  const { nowMs, startedMs, contact, hasWork } = at;
  const endsMs = hasWork && contact ? contact.atMs + contact.islandMs : (contact?.atMs ?? startedMs) + idleIslandMs;
  if (nowMs < endsMs) return { kind: "hold", untilMs: Math.min(endsMs, nowMs + lookEveryMs) };
  if (contact === undefined) return { kind: "shut-down", because: "no call of this node ever got orders" };
  return { kind: "shut-down", because: `no call has got a response for ${inHours(nowMs - contact.atMs)}` };
}

const inHours = (ms: number): string => (ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`);
