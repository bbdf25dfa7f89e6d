import { type AttemptRef, attemptName } from "../../model/job.ts";
import type { JobAccess, JobCredentials } from "../../ports/job-access.ts";

/** How long credentials are given again instead of new ones, ms. STS limits how often a whole account may ask for new ones. */
export const maxRememberedMs = 60_000;
/** The most attempts whose credentials are remembered at a time. */
const maxRemembered = 5_000;

type Given = { readonly atMs: number; readonly credentials: Promise<JobCredentials> };

/**
 * Gives an attempt the same credentials for a minute, so that a node that calls without a pause, or a gang's many members, cause one call of
 * STS per attempt and minute. Credentials are valid for an hour, so a minute less changes nothing. A failure is not remembered.
 */
export function rememberedAccess(access: JobAccess, now: () => number): JobAccess {
  const known = new Map<string, Given>();
  const ask = (attempt: AttemptRef, name: string, atMs: number): Given => {
    const given: Given = { atMs, credentials: access.credentials(attempt) };
    known.delete(name);
    known.set(name, given);
    const [oldest] = known.keys();
    if (known.size > maxRemembered && oldest !== undefined) known.delete(oldest);
    return given;
  };
  return {
    async credentials(attempt) {
      const name = attemptName(attempt);
      const atMs = now();
      const last = known.get(name);
      const given = last && atMs < last.atMs + maxRememberedMs ? last : ask(attempt, name, atMs);
      try {
        return await given.credentials;
      } catch (error) {
        if (known.get(name) === given) known.delete(name);
        throw error;
      }
    },
  };
}
