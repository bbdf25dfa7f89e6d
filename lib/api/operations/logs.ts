import * as z from "zod";
import { maxAttempt } from "../../model/job.ts";
import { noBody, type Operation, operation } from "../http/operation.ts";
import { problem, success } from "../http/response.ts";
import { LogPage } from "../views/logs.ts";
import { iso } from "../views/times.ts";
import { noJob } from "./jobs.ts";
import { cursor, limitOf, ofJob } from "./path.ts";

/** CloudWatch's own limit per page. */
const maxLines = 10_000;

const read = operation({
  id: "readLogs",
  method: "get",
  path: "/teams/{team}/jobs/{job}/logs",
  summary: "Returns an attempt's log lines, oldest first; to follow the log, call again with the cursor",
  params: ofJob,
  query: z.strictObject({
    attempt: z.coerce.number().int().min(1).max(maxAttempt).optional().describe("The attempt's number; the latest attempt if omitted"),
    rank: z.coerce.number().int().min(0).max(10_000).default(0).describe("The rank in a gang; 0 for the first member and for a plain job"),
    since: z.iso.datetime().optional().describe("Only lines from this time on"),
    tail: z.coerce
      .number()
      .int()
      .min(1)
      .max(maxLines)
      .optional()
      .describe("Begin with this number of the newest lines, or with as many as fit into a response; ignored if there is a cursor"),
    limit: limitOf(maxLines, 200),
    cursor,
  }),
  body: noBody,
  responses: { schema: LogPage, statuses: { 200: "A page of lines" } },
  problems: ["not-found", "cursor"],
  async handle(deps, { params, query }) {
    const job = await deps.sealing.get(params);
    if (!job) return noJob(params);
    const attempt = query.attempt ?? job.attempt;
    if (attempt > job.attempt) return problem("not-found", `The job ${job.job} has no attempt ${attempt}.`);
    const members = job.spec?.nodes ?? 1;
    if (query.rank >= members)
      return problem("not-found", `The job ${job.job} has no member of rank ${query.rank}; its last one is ${members - 1}.`);
    const newest = query.tail !== undefined && query.cursor === undefined;
    const page = await deps.attemptLogs.page(
      { team: job.team, job: job.job, attempt },
      {
        cursor: query.cursor,
        limit: newest ? (query.tail ?? query.limit) : query.limit,
        rank: query.rank,
        sinceMs: query.since === undefined ? undefined : Date.parse(query.since),
        newest,
      },
    );
    if (page.kind === "bad-cursor") return problem("cursor", "The cursor is invalid.");
    return success({
      attempt,
      state: job.state,
      reason: job.reason,
      latestAttempt: job.attempt,
      members,
      lines: page.lines.map(({ atMs, ...piece }) => ({ at: iso(atMs), ...piece })),
      cursor: page.cursor,
      more: page.more,
    });
  },
});

export const logOperations: readonly Operation[] = [read];
