import pMap from "p-map";
import { FleetError } from "../../model/fleet-error.ts";
import { type DeadQueue, deadQueues } from "../../model/letters/dead-letter.ts";
import type { DeadLetters } from "../../ports/queues/dead-letters.ts";

export type CountDeadJobsDeps = {
  readonly deadLetters: Pick<DeadLetters, "count">;
  readonly teams: readonly string[];
};

/** The number of dead letters of a team's jobs queue. */
export type DeadJobs = { readonly team: string; readonly count: number };

/** `dead`: the teams with dead letters. `failures`: the teams whose dead-letter queue could not be looked at. */
export type CountedDeadJobs = {
  readonly dead: readonly DeadJobs[];
  readonly failures: readonly { readonly team: string; readonly error: unknown }[];
};

const concurrency = 8;

/**
 * Returns which teams have messages in the dead-letter queue of their jobs queue, for one alarm about all teams. A look each minute costs less
 * than a fifth of an alarm for each team.
 */
export async function countDeadJobs({ deadLetters, teams }: CountDeadJobsDeps): Promise<CountedDeadJobs> {
  const dead: DeadJobs[] = [];
  const failures: { team: string; error: unknown }[] = [];
  const look = async ({ queue, team }: { queue: DeadQueue; team: string }): Promise<void> => {
    try {
      const count = await deadLetters.count(queue);
      // SQS says the same if this function may not look at the queue. Nothing would then be known about its letters.
      if (count === undefined) throw new FleetError("no-queue", `there is no queue of dead letters ${queue.name}`);
      if (count > 0) dead.push({ team, count });
    } catch (error) {
      // A queue that cannot be looked at must not hide the letters of the others.
      failures.push({ team, error });
    }
  };
  await pMap(
    deadQueues(teams).flatMap((queue) => (queue.team === undefined ? [] : [{ queue, team: queue.team }])),
    look,
    { concurrency },
  );
  return { dead: dead.toSorted(byTeam), failures: failures.toSorted(byTeam) };
}

const byTeam = (a: { readonly team: string }, b: { readonly team: string }): number => (a.team < b.team ? -1 : 1);
