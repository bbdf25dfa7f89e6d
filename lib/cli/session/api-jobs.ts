import type { AttemptView } from "../../api/views/attempts.ts";
import type { JobSummary, JobView } from "../../api/views/jobs.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { Attempt } from "../../model/history/attempt.ts";
import type { Job } from "../../model/job.ts";
import type { JobReader } from "../../ports/jobs.ts";
import type { FleetApi } from "./fleet-api.ts";

/** Reads jobs through the API. Jobs from `list` have no spec and no artifacts. */
export const apiJobReader = (api: Pick<FleetApi, "attempts" | "job" | "jobs">): JobReader => ({
  async get(ref) {
    try {
      return jobOf(await api.job(ref));
    } catch (error) {
      if (error instanceof FleetError && error.code === "not-found") return undefined;
      throw error;
    }
  },
  async attempts({ team, job, limit, before }) {
    const { items, cursor } = await api.attempts({ team, job, limit, cursor: before?.toString() });
    return { attempts: items.map(attemptOf), before: cursor === undefined ? undefined : Number(cursor) };
  },
  async list({ states, sinceMs, beforeMs, ...of }) {
    const query = { state: states?.join(","), since: timeOf(sinceMs), before: timeOf(beforeMs) };
    const { items, cursor } = await api.jobs({ ...of, ...query });
    return { jobs: items.map(jobOf), cursor };
  },
});

/** Formats a time in ISO 8601. A time outside of the calendar's range becomes the nearest one inside. */
const timeOf = (atMs: number | undefined): string | undefined =>
  atMs === undefined ? undefined : new Date(Math.min(Math.max(atMs, 0), Date.UTC(9999, 11, 31))).toISOString();

const attemptOf = ({ placedAt, startedAt, endedAt, costUsd: _cost, ...rest }: AttemptView): Attempt => ({
  ...rest,
  placedAtMs: Date.parse(placedAt),
  startedAtMs: startedAt === undefined ? undefined : Date.parse(startedAt),
  endedAtMs: endedAt === undefined ? undefined : Date.parse(endedAt),
});

export function jobOf(view: JobSummary & Partial<JobView>): Job {
  const { submittedAt, startedAt, endedAt, ...rest } = view;
  return {
    ...rest,
    submittedAtMs: Date.parse(submittedAt),
    ...(startedAt === undefined ? {} : { startedAtMs: Date.parse(startedAt) }),
    ...(endedAt === undefined ? {} : { endedAtMs: Date.parse(endedAt) }),
  };
}
