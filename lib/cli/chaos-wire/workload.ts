import { join } from "node:path";
import type { JobState } from "../../model/job.ts";
import type { Chance } from "../../sim/faults/chance.ts";

/** One job of a run: the message that asks for it, and what has to become of it. */
export type WireJob = {
  readonly team: string;
  readonly job: string;
  readonly body: string;
  /** After the run's beginning. */
  readonly atMs: number;
  /** When the same message comes once more. */
  readonly againAtMs: readonly number[];
  readonly ends: Extract<JobState, "succeeded" | "failed" | "rejected">;
  /** What its artifacts hold, by path. */
  readonly leaves: Readonly<Record<string, string>>;
  /** Where each attempt notes twice a second that it runs: a line with its number. */
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

/** What a kind of job asks for beside what all do. */
const asksMore: Readonly<Record<Kind, object>> = { plain: {}, flaky: { retries: 1 }, gang: { nodes: 2 }, broken: {}, wrong: { gpu: 2 } };

/** How a job ends that does not end well, or not at once. */
const lastSteps: Readonly<Record<Kind, readonly string[]>> = {
  plain: [],
  flaky: ['[ "$FLEETWRIGHT_ATTEMPT" -gt 1 ] || exit 3'],
  gang: [],
  broken: ["exit 7"],
  wrong: [],
};

/** What two teams ask for in one run: 8 to 15 jobs, one of them a gang, one that fails for good, one that cannot be read. */
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

/** What one does, and the message that asks for it. */
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
  const asks = { id, command: ["sh", "-c", script.join("; ")], maxRuntimeSeconds: 60, spot: chance.happens(0.8), artifacts };
  return { body: JSON.stringify({ ...asks, ...asksMore[kind] }), leaves, trace };
}

const numbers = (to: number): string => `${Array.from({ length: to }, (_, index) => index + 1).join("\n")}\n`;
