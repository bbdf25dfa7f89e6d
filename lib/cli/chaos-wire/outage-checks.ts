import type { OutageOf } from "../../local/outages.ts";
import { type Job, jobName } from "../../model/job.ts";
import type { Role } from "./outage-jobs.ts";

/** What was seen of an outage, from its begin until the fleet was at rest. Times are ms since the epoch. */
export type OutageFacts = {
  readonly of: OutageOf;
  readonly beganMs: number;
  readonly endedMs: number;
  /** The number of calls that failed because of it. */
  readonly refused: number;
  /** When decisions were made, from its begin on. */
  readonly decisionsMs: readonly number[];
  readonly jobs: readonly {
    readonly team: string;
    readonly job: string;
    readonly role: Role;
    /** The nodes that it ran on when the outage began. */
    readonly nodes: readonly string[];
    /** How often it had noted that it runs, at the begin and at the end of the outage. */
    readonly notes: { readonly atBegin: number; readonly atEnd: number };
    /** When it last noted that it runs; undefined if it never did. */
    readonly lastNoteMs: number | undefined;
    /** The job before the silent machine was declared dead. */
    readonly before: Job | undefined;
    /** The job in the end. */
    readonly ended: Job | undefined;
  }[];
  /** The instances, and when each began to end. */
  readonly instances: readonly { readonly id: string; readonly endedMs: number | undefined }[];
  /** The machine that hangs, when an admin declared it dead, and why that was refused, if it was. */
  readonly hung: { readonly id: string; readonly declaredMs: number; readonly refused?: string | undefined };
  /** The instance that EC2 ended. */
  readonly endedByEc2: string;
};

/** The longest time from the end of an outage to the first decision. */
const decidesWithinMs = 60_000;
/**
 * The longest time from the end of an outage until what happened meanwhile has been caught up on. Messages whose handlers could not reach the
 * table are repeated after up to three minutes by then.
 */
const catchesUpWithinMs: Readonly<Record<OutageOf, number>> = { functions: 120_000, table: 240_000 };
/** What a node held that was silent for 150 s when it ended is taken back this much later, because it may have left its outbox on S3. */
const outboxMs = 240_000;
/** Returns the longest time from the end of an outage to the end of a job. */
export const endsWithinMs = (of: OutageOf, role: Role): number => catchesUpWithinMs[of] + (role === "ended by EC2" ? outboxMs : 0);
/** The smallest number of calls that fail in an outage: those of one worker in a minute. */
const leastRefused = 12;
/** A decision that was being recorded when the outage began may carry a time shortly after. */
const slackMs = 1_000;

type OutageCheck = { readonly name: string; readonly says: string; wrong(facts: OutageFacts): readonly string[] };

/** The checks of a run with an outage, in addition to those of every run. */
export const outageChecks: readonly OutageCheck[] = [
  {
    name: "an outage",
    says: "During the outage, calls fail and nothing is decided; otherwise the run would show nothing.",
    wrong: ({ beganMs, endedMs, refused, decisionsMs }) => [
      ...(refused < leastRefused ? [`only ${refused} calls failed`] : []),
      ...decisionsMs
        .filter((atMs) => atMs > beganMs + slackMs && atMs < endedMs)
        .map((atMs) => `there was a decision ${seconds(atMs - beganMs)} after its begin`),
    ],
  },
  {
    name: "work goes on",
    says: "A job whose machine lives runs through the outage, and ends with its first attempt.",
    wrong: (facts) =>
      facts.jobs
        .filter((each) => each.role !== "sent meanwhile" && !lostNode(each, facts))
        .flatMap(({ ended: job, role, notes, ...each }) => [
          ...(job?.attempt === 1 ? [] : [`${jobName(each)} had ${job?.attempt ?? "no"} attempts`]),
          ...(role !== "goes on" || notes.atEnd > notes.atBegin ? [] : [`${jobName(each)} did not run during the outage`]),
        ]),
  },
  {
    name: "no node with work is ended",
    says: "No instance is ended while a program of an attempt that counts runs on it, or before what it left can have arrived.",
    wrong: ({ jobs, instances, endedByEc2, endedMs: outageEndedMs }) =>
      jobs.flatMap(({ nodes, lastNoteMs = 0, ended: job, ...each }) =>
        job?.attempt !== 1
          ? []
          : instances
              .filter(({ id }) => nodes.includes(id) && id !== endedByEc2)
              .filter(({ endedMs }) => endedMs !== undefined && endedMs < Math.max(lastNoteMs, outageEndedMs))
              .map(({ id }) => `${id} was ended while ${jobName(each)} ran on it, or during the outage`),
      ),
  },
  {
    name: "a decision within a minute",
    says: "The first decision follows at most 60 s after the end of the outage.",
    wrong: ({ endedMs, decisionsMs }) => {
      const afterMs = firstDecisionAfterMs({ endedMs, decisionsMs });
      return afterMs <= decidesWithinMs ? [] : [`the first decision was ${seconds(afterMs)} after the end of the outage`];
    },
  },
  {
    name: "all is caught up on",
    says: "What programs left during the outage arrives, and what was sent or lost meanwhile runs, within two minutes of its end (four after an outage of the table).",
    wrong: (facts) =>
      facts.jobs
        .filter(({ role, nodes }) => role !== "goes on" && !nodes.includes(facts.hung.id))
        .flatMap(({ ended: job, role, ...each }) => {
          const tookMs = (job?.endedAtMs ?? Number.POSITIVE_INFINITY) - facts.endedMs;
          const name = `${jobName(each)} (${role})`;
          if (tookMs > endsWithinMs(facts.of, role)) return [`${name} ended ${seconds(tookMs)} after the end of the outage`];
          if (role === "ends meanwhile" && tookMs < 0) return [`${name} was recorded as ended during the outage`];
          return role === "ended by EC2" && job?.attempt !== 2 ? [`${name} ended with attempt ${job?.attempt}, not with attempt 2`] : [];
        }),
  },
  {
    name: "silence is not judged",
    says: "A machine that is only silent is not judged so soon; its job runs elsewhere once an admin has declared it dead.",
    wrong: ({ hung, jobs, instances }) => {
      const endedMs = instances.find(({ id }) => id === hung.id)?.endedMs;
      return [
        ...(hung.refused === undefined ? [] : [`${hung.id} could not be declared dead: ${hung.refused}`]),
        ...(endedMs === undefined ? [`${hung.id} was not ended, although it was declared dead`] : []),
        ...(endedMs !== undefined && endedMs < hung.declaredMs ? [`${hung.id} was ended before it was declared dead`] : []),
        ...jobs
          .filter(({ nodes }) => nodes.includes(hung.id))
          .flatMap(({ before, ended: job, ...each }) => [
            ...(before?.attempt === 1 && before.state === "running"
              ? []
              : [`${jobName(each)} was ${before?.state}, attempt ${before?.attempt}, before its node was declared dead`]),
            ...(job?.attempt === 2 ? [] : [`${jobName(each)} ended with attempt ${job?.attempt}, not with attempt 2`]),
          ]),
      ];
    },
  },
];

/** Returns how long after the end of the outage the first decision was made, ms; infinite if none was. */
export const firstDecisionAfterMs = ({ endedMs, decisionsMs }: Pick<OutageFacts, "endedMs" | "decisionsMs">): number =>
  Math.min(...decisionsMs.filter((atMs) => atMs >= endedMs)) - endedMs;

const lostNode = ({ nodes }: OutageFacts["jobs"][number], { hung, endedByEc2 }: OutageFacts): boolean =>
  nodes.includes(hung.id) || nodes.includes(endedByEc2);

const seconds = (ms: number): string => (Number.isFinite(ms) ? `${Math.round(ms / 1_000)} s` : "never, or not yet,");
