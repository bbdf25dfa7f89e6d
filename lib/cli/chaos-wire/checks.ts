import type { PoolView } from "../../api/views/pools.ts";
import type { FleetCall } from "../../local/ec2/record.ts";
import { isEnded, type Job, jobName } from "../../model/job.ts";
import type { WireJob } from "./workload.ts";

/** The observations at the end of a run, when the fleet should be at rest. */
export type AtRest = {
  readonly jobs: readonly {
    readonly sent: WireJob;
    /** The job as recorded; undefined if there is no record. */
    readonly job: Job | undefined;
    /** The same job, a moment after it had ended. */
    readonly later: Job | undefined;
    /** The contents of its artifacts, unsealed, by path. */
    readonly left: Readonly<Record<string, string>>;
    /** The attempts that noted that they run, in order of the notes. */
    readonly ran: readonly number[];
  }[];
  readonly remaining: readonly string[];
  readonly pools: readonly Pick<PoolView, "pool" | "reserved" | "openLaunches">[];
  readonly fleetCalls: readonly Pick<FleetCall, "clientToken" | "replayed" | "outcome">[];
};

type Check = { readonly name: string; readonly says: string; wrong(rest: AtRest): readonly string[] };

/** The checks of a run on a local cloud at rest: those of the invariants that can be checked from outside. */
export const checks: readonly Check[] = [
  {
    name: "jobs end once",
    says: "Every job ends in a state that its message allows, and stays in it; a rejected or failed job has a reason.",
    wrong: ({ jobs }) => jobs.flatMap((each) => wrongEnd(each)),
  },
  {
    name: "one attempt at a time",
    says: "No attempt of a job runs after a later one has begun.",
    wrong: ({ jobs }) =>
      jobs.flatMap(({ sent, ran }) => {
        const at = ran.findIndex((attempt, n) => attempt < (ran[n - 1] ?? 0));
        return at < 0 ? [] : [`${jobName(sent)}: attempt ${ran[at]} still ran after attempt ${ran[at - 1]} had begun`];
      }),
  },
  {
    name: "artifacts are sealed",
    says: "The artifacts of a job that succeeded can be unsealed, and are correct byte for byte.",
    wrong: ({ jobs }) => jobs.filter(({ job }) => job?.state === "succeeded").flatMap(({ sent, left }) => wrongFiles(sent, left)),
  },
  {
    name: "back at zero",
    says: "No instance is left, no launch is open, and nothing is reserved.",
    wrong: ({ remaining, pools }) => [
      ...remaining.map((id) => `${id} is still running, although no work is left`),
      ...pools.flatMap(({ pool, reserved, openLaunches }) => [
        ...openLaunches.map(({ launch }) => `the launch ${launch} of pool ${pool} is still open`),
        ...(reserved.usdPerHour === 0 && reserved.gpus === 0 ? [] : [`pool ${pool} still reserves ${JSON.stringify(reserved)}`]),
      ]),
    ],
  },
  {
    name: "no launch happens twice",
    says: "No client token launches more than once, and every launch has one.",
    wrong: ({ fleetCalls }) => {
      const launched = fleetCalls.filter(
        ({ replayed, outcome }) => !replayed && outcome.kind === "answered" && outcome.instances.length > 0,
      );
      const tokens = launched.map(({ clientToken }) => clientToken);
      const twice = new Set(tokens.filter((token, n) => token !== undefined && tokens.indexOf(token) !== n));
      return [
        ...[...twice].map((token) => `the token ${token} launched more than once`),
        ...(tokens.includes(undefined) ? ["a launch had no token"] : []),
      ];
    },
  },
];

function wrongEnd({ sent, job, later }: AtRest["jobs"][number]): string[] {
  const name = jobName(sent);
  if (!job) return [`${name} was accepted by SQS, and is not recorded`];
  const { state, reason } = job;
  if (!isEnded(state)) return [`${name} never ended: it is ${state}${reason ? ` (${reason})` : ""}`];
  if (later?.state !== state || later.attempt !== job.attempt)
    return [`${name} had ended as ${state}, and became ${later?.state ?? "nothing"}, attempt ${later?.attempt}`];
  if ((state === "rejected" || state === "failed") && !reason) return [`${name} was ${state} without a reason`];
  // A job fails if it loses too many nodes, however it would have ended otherwise.
  const isLost = state === "failed" && sent.ends !== "rejected" && /nodes were lost while it ran/.test(reason ?? "");
  return state === sent.ends || isLost ? [] : [`${name} should have ended as ${sent.ends}, and was ${state}: ${reason ?? "no reason"}`];
}

function wrongFiles(sent: WireJob, left: Readonly<Record<string, string>>): string[] {
  const paths = [...new Set([...Object.keys(sent.leaves), ...Object.keys(left)])].sort();
  return paths
    .filter((path) => left[path] !== sent.leaves[path])
    .map(
      (path) =>
        `${path} of ${jobName(sent)} ${left[path] === undefined ? "cannot be unsealed" : "is not what the job should have written"}`,
    );
}
