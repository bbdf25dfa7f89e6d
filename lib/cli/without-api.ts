import type { AttemptLog } from "../aws/log-reader.ts";
import type { Deployment } from "../model/deployment.ts";
import { Fault } from "../model/fault.ts";
import type { JobReader } from "../ports/jobs.ts";
import { type FleetApi, fleetApi } from "./fleet-api.ts";

type Sources = { readonly deployment: Deployment; readonly jobs: JobReader; readonly log: AttemptLog };

/** For a deployment that has no API yet: who calls and what a job wrote is found without it, everything else says what is missing. */
export const withoutApi = ({ deployment, jobs, log }: Sources): FleetApi => ({
  ...fleetApi(async () => {
    throw new Fault(
      "no-api",
      "this deployment has no API; deploy it again with `npx cdk deploy`, or end the local cloud and start it again",
    );
  }),
  async me() {
    const { name, teams, pools, defaultPool } = deployment;
    return { caller: "unknown", admin: true, team: null, name, teams: [...teams], pools: [...pools], defaultPool };
  },
  async logs({ team, job: id, attempt, cursor }) {
    const job = await jobs.get({ team, job: id });
    if (!job || (attempt !== undefined && attempt > job.attempt)) throw new Fault("not-found", `there is no such attempt of ${id}`);
    const of = attempt ?? job.attempt;
    const { lines, position } = await log.read({ team, job: id, attempt: of }, cursor);
    const read = lines.map(({ atMs, text }) => ({ at: new Date(atMs).toISOString(), text }));
    return { attempt: of, state: job.state, latestAttempt: job.attempt, lines: read, cursor: position, more: false };
  },
});
