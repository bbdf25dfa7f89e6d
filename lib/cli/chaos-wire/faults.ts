import type { Ec2Record } from "../../local/ec2/record.ts";
import type { Chance } from "../../sim/faults/chance.ts";

/** The parts of the local cloud that faults act on. */
export type Seams = {
  readonly record: Pick<
    Ec2Record,
    | "loseNextResponse"
    | "delayNextResponse"
    | "throttleNext"
    | "refuse"
    | "endInstance"
    | "interrupt"
    | "recommendRebalance"
    | "pauseWorker"
    | "resumeWorker"
    | "crashWorker"
    | "remaining"
  >;
  /** Ends a function's invocation, as a crash would. */
  kill(functionName: string): Promise<void>;
};

/** A fault of a run. `strike` returns whether there was anything to strike. */
export type WireFault = { readonly kind: string; readonly atMs: number; strike(seams: Seams): Promise<boolean> };

/** No fault begins after this time, and none lasts longer than some seconds. */
export const faultsMs = 6_000;

const actions = ["CreateFleet", "TerminateInstances"];

/**
 * Faults by name. Each draws what it needs before the run begins. Faults that heal only by time-outs of many minutes, for example a
 * worker that is gone for good, are not among them: virtual time has those.
 */
const kinds: Readonly<Record<string, (chance: Chance) => WireFault["strike"]>> = {
  "ec2.lost-answer": (chance) => {
    const [action, times] = [chance.pick(actions), chance.between(1, 2)];
    const how = chance.pick(["error", "cut"] as const);
    return on(({ record }) => record.loseNextResponse(action, times, how));
  },
  "ec2.late-answer": (chance) => {
    const [action, ms] = [chance.pick(actions), chance.between(500, 3_000)];
    return on(({ record }) => record.delayNextResponse(action, ms));
  },
  "ec2.throttle": (chance) => {
    const [action, times] = [chance.pick([...actions, "DescribeInstances"]), chance.between(1, 3)];
    return on(({ record }) => record.throttleNext(action, times));
  },
  "ec2.refuse": (chance) => {
    const matcher = chance.pick([{ market: "spot" as const }, { instanceType: "g4dn.xlarge" }, {}]);
    const [code, ms] = [chance.pick(["InsufficientInstanceCapacity", "UnfulfillableCapacity"]), chance.between(500, 2_500)];
    return on(({ record }) => void setTimeout(record.refuse(matcher, code), ms));
  },
  "ec2.console-end": (chance) => onWorker(chance, ({ record }, id) => record.endInstance(id)),
  "spot.interrupt": (chance) => {
    const noticeMs = chance.between(1_000, 5_000);
    return onWorker(chance, ({ record }, id) => void record.interrupt(id, { noticeMs }), "spot");
  },
  "spot.rebalance": (chance) => onWorker(chance, ({ record }, id) => record.recommendRebalance(id), "spot"),
  "worker.freeze": (chance) => {
    const ms = chance.between(500, 3_000);
    return onWorker(chance, async ({ record }, id) => {
      await record.pauseWorker(id);
      // The worker and its machine may be gone by then.
      setTimeout(() => void record.resumeWorker(id).catch(() => undefined), ms);
    });
  },
  "worker.crash": (chance) => onWorker(chance, ({ record }, id) => record.crashWorker(id)),
  "lambda.kill": (chance) => {
    // `place` is killed least often, because its messages are delivered again only after half a minute.
    const name = chance.pick(["node", "node", "node", "api", "place"]);
    return on(({ kill }) => kill(name));
  },
};

export const faultKinds = Object.keys(kinds);

/** Returns the faults of one run, in order of time. */
export function faultsOf(chance: Chance): readonly WireFault[] {
  const faults = Array.from({ length: chance.between(8, 14) }, (_, n) => {
    const kind = chance.pick(faultKinds);
    const own = chance.fork(`fault ${n}`);
    return { kind, atMs: chance.between(0, faultsMs), strike: kinds[kind]?.(own) ?? (async () => false) };
  });
  return faults.toSorted((a, b) => a.atMs - b.atMs || (a.kind < b.kind ? -1 : 1));
}

const on =
  (act: (seams: Seams) => void | Promise<void>): WireFault["strike"] =>
  async (seams) => {
    await act(seams);
    return true;
  };

/** Strikes an instance whose worker runs, if there is one. If the instance ends in that moment, nothing was struck. */
function onWorker(chance: Chance, act: (seams: Seams, id: string) => void | Promise<void>, market?: "spot"): WireFault["strike"] {
  const drawn = chance.next();
  return async (seams) => {
    const there = seams.record.remaining().filter((each) => each.workerPid !== undefined && (!market || each.market === market));
    const struck = there[Math.floor(drawn * there.length)];
    if (!struck) return false;
    try {
      await act(seams, struck.id);
      return true;
    } catch {
      return false;
    }
  };
}
