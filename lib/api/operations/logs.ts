import * as z from "zod";
import { problem, said } from "../answer.ts";
import { noBody, type Operation, operation } from "../operation.ts";
import { iso } from "../times.ts";
import { LogPage } from "../views.ts";
import { noJob } from "./jobs.ts";
import { cursor, limitOf, ofJob } from "./path.ts";

const read = operation({
  id: "readLogs",
  method: "get",
  path: "/teams/{team}/jobs/{job}/logs",
  summary: "What an attempt has written, oldest first; whoever follows it asks again with the cursor",
  params: ofJob,
  query: z.strictObject({
    attempt: z.coerce.number().int().min(1).max(1_000_000).optional().describe("The latest one if absent"),
    limit: limitOf(1000, 200),
    cursor,
  }),
  body: noBody,
  answers: { schema: LogPage, statuses: { 200: "A page of lines" } },
  problems: ["not-found", "cursor"],
  async handle(deps, { params, query }) {
    const job = await deps.current.get(params);
    if (!job) return noJob(params);
    const attempt = query.attempt ?? job.attempt;
    if (attempt > job.attempt) return problem("not-found", `The job ${job.job} has had no attempt ${attempt}.`);
    const page = await deps.logs.page({ team: job.team, job: job.job, attempt }, { cursor: query.cursor, limit: query.limit });
    if (page.kind === "bad-cursor") return problem("cursor", "No page begins there.");
    return said({
      attempt,
      state: job.state,
      latestAttempt: job.attempt,
      lines: page.lines.map(({ atMs, text }) => ({ at: iso(atMs), text })),
      cursor: page.cursor,
      more: page.more,
    });
  },
});

export const logOperations: readonly Operation[] = [read];
