import { type AttemptRef, attemptName, isEnded, type Job, jobName } from "../../model/job.ts";
import type { ProgramRun } from "../world/facts.ts";
import type { WorldView } from "../world/seen.ts";
import { contentOf } from "../world/workload.ts";
import type { Invariant, InvariantBreach } from "./invariant.ts";

/** 7: the files of every attempt are kept sealed and unchanged for its own team, and no team reaches another team's files. */
export const sealed: Invariant = {
  number: 7,
  name: "artifacts are sealed",
  says: "An attempt's uploads are kept sealed, however its job ended. None opens with a wrong context. No team reads, writes or decides for another.",
  watch: (seen) => {
    const uploaded = new Map<string, Upload>();
    const teams = new Map<string, string>();
    return {
      on: (fact) => {
        if (fact.kind === "uploaded") uploaded.set(attemptName(fact.attempt), fact);
        if (fact.kind === "began") return foreign(fact, teams, seen());
        if (fact.kind !== "job" || fact.after.state !== "succeeded" || (fact.before && isEnded(fact.before.state))) return undefined;
        return unsealed(fact.after, uploaded.get(attemptName(fact.after))?.paths ?? [], seen());
      },
      atRest: () => {
        const now = seen();
        return [...uploaded.values()].map(({ attempt, paths }) => unkept(attempt, paths, now)).find((each) => each !== undefined);
      },
    };
  },
};

type Upload = { readonly attempt: AttemptRef; readonly paths: readonly string[] };

function unsealed(job: Job, paths: readonly string[], seen: WorldView): InvariantBreach {
  const wrong = unkept(job, paths, seen);
  if (wrong) return `${jobName(job)} succeeded, but ${wrong}`;
  return job.artifacts?.files === paths.length
    ? undefined
    : `${jobName(job)} succeeded, but its record does not have ${paths.length} files`;
}

function unkept({ team, job, attempt }: AttemptRef, paths: readonly string[], { artifacts }: WorldView): InvariantBreach {
  const ref = { team, job, attempt };
  const kept = artifacts.listed(ref)?.artifacts ?? [];
  if (
    kept
      .map(({ path }) => path)
      .sort()
      .join() !== [...paths].sort().join()
  ) {
    return `${attemptName(ref)} has ${kept.length} sealed artifacts, but its worker uploaded ${paths.length}`;
  }
  for (const artifact of kept) {
    const name = `${artifact.path} of ${attemptName(ref)}`;
    const text = artifacts.opened(ref, artifact)?.toString();
    if (text === undefined) return `${name} is not sealed under its team's key`;
    if (text !== contentOf(ref, Number(artifact.path.split("-")[1]) - 1)) return `${name} differs from what its worker uploaded`;
    const others: AttemptRef[] = [
      { ...ref, team: `${team}-2` },
      { ...ref, attempt: attempt + 1 },
      { ...ref, job: `${job}-2` },
    ];
    const other = others.find((each) => artifacts.opened(each, artifact) !== undefined);
    if (other) return `${name} opens with the context of ${attemptName(other)}`;
  }
  return undefined;
}

/** A node must serve one team only, unless its pool is shared. */
function foreign(run: ProgramRun, teams: Map<string, string>, { fleet, pools }: WorldView): InvariantBreach {
  const pool = pools.find(({ name }) => name === fleet.instances.get(run.instance)?.launch.pool);
  const served = teams.get(run.instance);
  teams.set(run.instance, run.team);
  return served === undefined || served === run.team || pool?.shared === true
    ? undefined
    : `${attemptName(run)} runs on ${run.instance}, which has served team ${served}`;
}
