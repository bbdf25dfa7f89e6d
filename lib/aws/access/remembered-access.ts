import { type AttemptRef, attemptName } from "../../model/job.ts";
import type { OutboxKeys } from "../../ports/islands/outboxes.ts";
import type { JobAccess } from "../../ports/job-access.ts";

/** How long what an attempt was given is given again instead of something new, ms. STS and KMS limit how often a whole account may ask. */
export const maxRememberedMs = 60_000;
/** The most attempts of which something is remembered at a time. */
const maxRemembered = 5_000;

/**
 * Gives an attempt the same credentials for a minute, so that a node that calls without a pause, or a gang's many members, cause one call of
 * STS per attempt and minute. Credentials are valid for an hour, so a minute less changes nothing. A failure is not remembered.
 */
export const rememberedAccess = (access: JobAccess, now: () => number): JobAccess => ({
  credentials: remembered({ nameOf: attemptName, now }, (attempt) => access.credentials(attempt)),
});

/** Gives an attempt on a node the same key for a minute, because an order is repeated until its attempt is reported. */
export const rememberedOutboxKeys = (keys: OutboxKeys, now: () => number): OutboxKeys => ({
  generate: remembered({ nameOf: (of) => `${attemptName(of)} ${of.node}`, now }, (of) => keys.generate(of)),
});

type Given<T> = { readonly atMs: number; readonly what: Promise<T> };

function remembered<Of extends AttemptRef, T>(
  { nameOf, now }: { readonly nameOf: (of: Of) => string; readonly now: () => number },
  give: (of: Of) => Promise<T>,
): (of: Of) => Promise<T> {
  const known = new Map<string, Given<T>>();
  const ask = (of: Of, name: string, atMs: number): Given<T> => {
    const given: Given<T> = { atMs, what: give(of) };
    known.delete(name);
    known.set(name, given);
    const [oldest] = known.keys();
    if (known.size > maxRemembered && oldest !== undefined) known.delete(oldest);
    return given;
  };
  return async (of) => {
    const name = nameOf(of);
    const atMs = now();
    const last = known.get(name);
    const given = last && atMs < last.atMs + maxRememberedMs ? last : ask(of, name, atMs);
    try {
      return await given.what;
    } catch (error) {
      if (known.get(name) === given) known.delete(name);
      throw error;
    }
  };
}
