import * as z from "zod";
import { problem, said } from "../http/answer.ts";
import { noBody, type Operation, operation } from "../http/operation.ts";
import { LogPage } from "../views/logs.ts";
import { iso } from "../views/times.ts";
import { noJob } from "./jobs.ts";
import { cursor, limitOf, ofJob } from "./path.ts";

/** CloudWatch's own limit for a page. */
const mostLines = 10_000;

const read = operation({
  id: "readLogs",
  method: "get",
  path: "/teams/{team}/jobs/{job}/logs",
  summary: "What an attempt has written, oldest first; whoever follows it asks again with the cursor",
  params: ofJob,
  query: z.strictObject({
    attempt: z.coerce.number().int().min(1).max(1_000_000).optional().describe("The latest one if absent"),
    rank: z.coerce.number().int().min(0).max(10_000).default(0).describe("Which member of a gang; 0 is the first one, and a plain job's"),
    since: z.iso.datetime().optional().describe("Only lines from then on"),
    tail: z.coerce
      .number()
      .int()
      .min(1)
      .max(mostLines)
      .optional()
      .describe("Begin with so many of the newest lines, or as many of them as fit into an answer; without effect where a cursor is given"),
    limit: limitOf(mostLines, 200),
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
    const members = job.spec?.nodes ?? 1;
    if (query.rank >= members)
      return problem("not-found", `The job ${job.job} has no member of rank ${query.rank}; its last one is ${members - 1}.`);
    const newest = query.tail !== undefined && query.cursor === undefined;
    const page = await deps.logs.page(
      { team: job.team, job: job.job, attempt },
      {
        cursor: query.cursor,
        limit: newest ? (query.tail ?? query.limit) : query.limit,
        rank: query.rank,
        sinceMs: query.since === undefined ? undefined : Date.parse(query.since),
        newest,
      },
    );
    if (page.kind === "bad-cursor") return problem("cursor", "No page begins there.");
    return said({
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
