import type { Pool } from "../../api/views/pools.ts";
import type { FleetCall } from "../../local/ec2/record.ts";
import { isEnded, type Job, jobName } from "../../model/job.ts";
import type { WireJob } from "./workload.ts";

/** What a run has come to, when all should rest. */
export type AtRest = {
  readonly jobs: readonly {
    readonly asked: WireJob;
    /** What is on record of it; undefined: nothing is. */
    readonly job: Job | undefined;
    /** The same, some moments after it had ended. */
    readonly later: Job | undefined;
    /** What its artifacts hold, unsealed, by path. */
    readonly left: Readonly<Record<string, string>>;
    /** The attempts that noted that they run, in the order of the notes. */
    readonly ran: readonly number[];
  }[];
  readonly remaining: readonly string[];
  readonly pools: readonly Pick<Pool, "pool" | "reserved" | "openLaunches">[];
  readonly fleetCalls: readonly Pick<FleetCall, "clientToken" | "replayed" | "outcome">[];
};

type Check = { readonly name: string; readonly says: string; wrong(rest: AtRest): readonly string[] };

/** What must hold of a run on the local cloud once it rests: those of the nine that can be seen from outside. */
export const checks: readonly Check[] = [
  {
    name: "jobs end once",
    says: "Every job has ended, in a state that its message allows, and stays there; a refused or failed one says why.",
    wrong: ({ jobs }) => jobs.flatMap((each) => wrongEnd(each)),
  },
  {
    name: "one attempt at a time",
    says: "No attempt of a job runs once a later one has begun.",
    wrong: ({ jobs }) =>
      jobs.flatMap(({ asked, ran }) => {
        const at = ran.findIndex((attempt, n) => attempt < (ran[n - 1] ?? 0));
        return at < 0 ? [] : [`${jobName(asked)}: attempt ${ran[at]} still ran after attempt ${ran[at - 1]} had begun`];
      }),
  },
  {
    name: "artifacts are sealed",
    says: "What a job that succeeded had to leave unseals, byte for byte.",
    wrong: ({ jobs }) => jobs.filter(({ job }) => job?.state === "succeeded").flatMap(({ asked, left }) => wrongFiles(asked, left)),
  },
  {
    name: "back at zero",
    says: "No instance is left, no launch is open, and nothing is reserved.",
    wrong: ({ remaining, pools }) => [
      ...remaining.map((id) => `${id} lives on, and no work is left`),
      ...pools.flatMap(({ pool, reserved, openLaunches }) => [
        ...openLaunches.map(({ launch }) => `the launch ${launch} of pool ${pool} is still open`),
        ...(reserved.usdPerHour === 0 && reserved.gpus === 0 ? [] : [`pool ${pool} reserves ${JSON.stringify(reserved)} for nothing`]),
      ]),
    ],
  },
  {
    name: "no launch happens twice",
    says: "No client token has launched more than once, and each launch has one.",
    wrong: ({ fleetCalls }) => {
      const launched = fleetCalls.filter(
        ({ replayed, outcome }) => !replayed && outcome.kind === "answered" && outcome.instances.length > 0,
      );
      const tokens = launched.map(({ clientToken }) => clientToken);
      const twice = new Set(tokens.filter((token, n) => token !== undefined && tokens.indexOf(token) !== n));
      return [
        ...[...twice].map((token) => `the token ${token} launched more than once`),
        ...(tokens.includes(undefined) ? ["a launch came without a token"] : []),
      ];
    },
  },
];

function wrongEnd({ asked, job, later }: AtRest["jobs"][number]): string[] {
  const name = jobName(asked);
  if (!job) return [`${name} was taken by SQS, and nobody knows of it`];
  const { state, reason } = job;
  if (!isEnded(state)) return [`${name} never ended: it is ${state}${reason ? ` (${reason})` : ""}`];
  if (later?.state !== state || later.attempt !== job.attempt)
    return [`${name} had ended as ${state}, and became ${later?.state ?? "nothing"}, attempt ${later?.attempt}`];
  if ((state === "rejected" || state === "failed") && !reason) return [`${name} was ${state}, and nobody says why`];
  // So many nodes lost under it end a job, however well it would have ended.
  const isLost = state === "failed" && asked.ends !== "rejected" && /nodes were lost while it ran/.test(reason ?? "");
  return state === asked.ends || isLost ? [] : [`${name} had to end as ${asked.ends}, and was ${state}: ${reason ?? "nobody says why"}`];
}

function wrongFiles(asked: WireJob, left: Readonly<Record<string, string>>): string[] {
  const paths = [...new Set([...Object.keys(asked.leaves), ...Object.keys(left)])].sort();
  return paths
    .filter((path) => left[path] !== asked.leaves[path])
    .map((path) => `${path} of ${jobName(asked)} ${left[path] === undefined ? "does not unseal" : "is not what it had to write"}`);
}
