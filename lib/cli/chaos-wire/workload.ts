import { join } from "node:path";
import type { JobState } from "../../model/job.ts";
import type { Chance } from "../../sim/faults/chance.ts";

/** A job of a run: its message, and its expected outcome. */
export type WireJob = {
  readonly team: string;
  readonly job: string;
  readonly body: string;
  /** When the message is sent, in ms after the start of the run. */
  readonly atMs: number;
  /** When the same message is sent again. */
  readonly againAtMs: readonly number[];
  readonly ends: Extract<JobState, "succeeded" | "failed" | "rejected">;
  /** The expected contents of its artifacts, by path. */
  readonly leaves: Readonly<Record<string, string>>;
  /** The file to which each attempt appends its number, twice a second, while it runs. */
  readonly trace: string;
};

const teams = ["research", "vision"];
const spanMs = 4_000;

type Kind = "plain" | "flaky" | "gang" | "broken" | "wrong";

const endOf: Readonly<Record<Kind, WireJob["ends"]>> = {
  plain: "succeeded",
  flaky: "succeeded",
  gang: "succeeded",
  broken: "failed",
  wrong: "rejected",
};

/** Fields that a kind of job has in addition to those that all have. */
const extraFields: Readonly<Record<Kind, object>> = { plain: {}, flaky: { retries: 1 }, gang: { nodes: 2 }, broken: {}, wrong: { gpu: 2 } };

/** The last steps of jobs that fail, or that fail at first. */
const lastSteps: Readonly<Record<Kind, readonly string[]>> = {
  plain: [],
  flaky: ['[ "$FLEETWRIGHT_ATTEMPT" -gt 1 ] || exit 3'],
  gang: [],
  broken: ["exit 7"],
  wrong: [],
};

/** Returns the jobs of a run, of two teams: 8 to 15 jobs, among them a gang, a job that always fails, and an invalid message. */
export function workloadOf(seed: number, chance: Chance, folder: string): readonly WireJob[] {
  const more = Array.from({ length: chance.between(5, 12) }, (): Kind => (chance.happens(0.2) ? "flaky" : "plain"));
  const kinds: readonly Kind[] = ["gang", "broken", "wrong", ...more];
  return kinds.map((kind, n) => {
    const [team, job] = [chance.pick(teams), `wire-${seed}-${n}-${kind}`];
    const atMs = chance.happens(0.4) ? chance.between(0, 500) : chance.between(500, spanMs);
    const again = chance.happens(0.4) ? chance.between(1, 2) : 0;
    return {
      team,
      job,
      atMs,
      againAtMs: Array.from({ length: again }, () => atMs + chance.between(0, 3_000)),
      ends: endOf[kind],
      ...work(kind, job, { chance, trace: join(folder, `${team}.${job}`) }),
    };
  });
}

/** Returns what a job does, and its message. */
function work(kind: Kind, id: string, { chance, trace }: { chance: Chance; trace: string }): Pick<WireJob, "body" | "leaves" | "trace"> {
  const lines = chance.between(1, 400);
  const leaves: Record<string, string> = kind === "plain" && chance.happens(0.5) ? { "out.txt": numbers(lines) } : {};
  const artifacts = Object.keys(leaves);
  const rounds = chance.between(2, 6);
  const script = [
    `n=0; while [ $n -lt ${rounds} ]; do echo "$FLEETWRIGHT_ATTEMPT" >> "${trace}"; sleep 0.5; n=$((n+1)); done`,
    ...lastSteps[kind],
    ...artifacts.map((path) => `seq 1 ${lines} > ${path}`),
  ];
  const fields = { id, command: ["sh", "-c", script.join("; ")], maxRuntimeSeconds: 60, spot: chance.happens(0.8), artifacts };
  return { body: JSON.stringify({ ...fields, ...extraFields[kind] }), leaves, trace };
}

const numbers = (to: number): string => `${Array.from({ length: to }, (_, index) => index + 1).join("\n")}\n`;
