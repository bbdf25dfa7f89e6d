import { describe, expect, test } from "vitest";
import type { AttemptReport, NodeResponse } from "../../../events/node-call.ts";
import { Agent, type AgentEnd, type AgentOptions, type Facts } from "../../../lib/worker/attempt/agent.ts";
import type { AttemptEvent } from "../../../lib/worker/attempt/attempt.ts";
import type { LiveAttempt, RunOrder } from "../../../lib/worker/attempt/attempt-run.ts";
import type { IslandTime } from "../../../lib/worker/attempt/island.ts";
import { watchInstance } from "../../../lib/worker/instance/instance-watch.ts";
import { workerLogInto } from "../../fakes/log-lines.ts";
import { orders, type Report, runOrder, someCredentials } from "./http-fakes.ts";
import { ManualClock } from "./manual-clock.ts";

const ref = { team: "vision", job: "train-1", attempt: 1 };

/** An attempt that emits only the events that the test triggers, and records what the agent asks of it. */
class Puppet implements LiveAttempt {
  readonly requests: string[] = [];
  credentialsExpireAtMs: number;
  readonly order: RunOrder;
  readonly gpus: readonly number[];
  readonly tell: (event: AttemptEvent) => void;
  constructor(order: RunOrder, gpus: readonly number[], tell: (event: AttemptEvent) => void) {
    this.order = order;
    this.gpus = gpus;
    this.tell = tell;
    this.credentialsExpireAtMs = order.credentials.expiresAtMs;
  }
  renew(credentials: RunOrder["credentials"]): void {
    this.credentialsExpireAtMs = credentials.expiresAtMs;
  }
  upload({ whole } = { whole: false }): void {
    this.requests.push(whole ? "upload whole" : "upload");
  }
  stop(graceMs: number): void {
    this.requests.push(`stop ${graceMs}`);
  }
  /** Whether S3 takes all that the attempt left. */
  fits = false;
  async leave(report: AttemptReport, { whole }: { whole: boolean }): Promise<boolean> {
    this.requests.push(`leave ${report.phase}${whole ? " whole" : ""}`);
    return this.fits;
  }
  async remove(): Promise<void> {
    this.requests.push("remove");
  }
  uploaded(): void {
    this.tell({ kind: "uploaded" });
  }
  started(): void {
    this.tell({ kind: "started", atMs: 5 });
  }
  exited(exitCode: number): void {
    this.tell({ kind: "exited", startedAtMs: 5, exitCode, leaves: (this.order.gang?.rank ?? 0) === 0 });
  }
}

type Over = Partial<AgentOptions> & { readonly begin?: () => Promise<NodeResponse> };

/** An agent in manual time. `respond` returns the response to each report, `begin` that to a call for a session; they throw to lose it. */
function world(respond: (call: Report, number: number) => NodeResponse, { call: respondTo, begin, ...over }: Over = {}) {
  const clock = new ManualClock();
  const calls: { atMs: number; call: Report }[] = [];
  const puppets: Puppet[] = [];
  const agent = new Agent({
    pool: "gpu",
    workerVersion: "1",
    process: "process-1",
    call: async (call, signal) => {
      if (call.kind === "begin") return begin ? begin() : { kind: "session", session: 1 };
      if (respondTo) return respondTo(call, signal);
      if (call.kind !== "report") throw new Error("not a report");
      calls.push({ atMs: clock.monotonicMs(), call });
      return respond(call, calls.length);
    },
    start: (order, gpus, emit) => {
      const puppet = new Puppet(order, gpus, emit);
      puppets.push(puppet);
      return puppet;
    },
    facts: () => ({}),
    endsAtMs: () => undefined,
    clock,
    random: () => 0,
    log: workerLogInto([]),
    leftovers: [],
    ...over,
  });
  let end: AgentEnd | undefined;
  void agent.run().then((ended) => {
    end = ended;
  });
  return {
    agent,
    clock,
    calls,
    puppets,
    only: () => {
      const [puppet, ...more] = puppets;
      if (puppet === undefined || more.length > 0) throw new Error(`${puppets.length} attempts`);
      return puppet;
    },
    last: () => calls.at(-1)?.call.attempts ?? [],
    end: () => end,
  };
}

const every2s = { callAgainMs: 2_000 };

describe("the agent", () => {
  test("the agent calls at the server's pace, and without waiting when something changes", async () => {
    const { clock, calls, only } = world((_call, number) => orders({ ...every2s, orders: number === 1 ? [runOrder()] : [] }));
    await clock.pass(4_500);
    expect(calls.map((each) => each.atMs)).toEqual([0, 2_000, 4_000]);
    only().started();
    await clock.pass(50);
    expect(calls.at(-1)).toMatchObject({ atMs: 4_500, call: { attempts: [{ ...ref, phase: "running", startedAtMs: 5 }] } });
  });

  test("the agent starts an attempt once, even if it is ordered several times or again after its end", async () => {
    const done = { now: false };
    const { clock, calls, puppets, only, last } = world(() => orders({ ...every2s, orders: [runOrder()], done: done.now ? [ref] : [] }));
    await clock.pass(5_000);
    only().started();
    only().exited(1);
    await clock.pass(50);
    expect(last()).toMatchObject([{ phase: "exited", exitCode: 1, uploads: true }]);
    only().uploaded();
    await clock.pass(50);
    expect(last()).toEqual([{ ...ref, phase: "exited", exitCode: 1, startedAtMs: 5, uploads: false }]);
    done.now = true;
    await clock.pass(2_000);
    expect(only().requests).toEqual(["upload", "remove"]);
    // A server that keeps returning the order together with `done` must not be called without a pause.
    expect(calls.length).toBeLessThan(60);
    done.now = false;
    await clock.pass(2_000);
    expect(puppets.length).toBe(1);
    expect(last()).toMatchObject([{ phase: "stopped", reason: "this attempt has already ended on this node" }]);
  });

  test("the agent uploads only after the server has recorded the end, for any exit code", async () => {
    for (const exitCode of [0, 3]) {
      const lost = { now: false };
      const { clock, only, last } = world((_call, number) => {
        if (lost.now) throw new Error("the response was lost");
        return orders({ ...every2s, orders: number === 1 ? [runOrder()] : [] });
      });
      await clock.pass(50);
      only().started();
      await clock.pass(50);
      lost.now = true;
      only().exited(exitCode);
      await clock.pass(3_000);
      expect(only().requests).toEqual([]);
      lost.now = false;
      await clock.pass(1_000);
      expect(only().requests).toEqual(["upload"]);
      expect(last()).toMatchObject([{ phase: "exited", exitCode, uploads: true }]);
      only().uploaded();
      await clock.pass(50);
      expect(last()).toMatchObject([exitCode === 0 ? { phase: "uploaded" } : { phase: "exited", exitCode: 3, uploads: false }]);
    }
  });

  test("the agent uploads after 30 s without the server, and reports the end until the server receives it", async () => {
    const silent = { now: false };
    const { clock, only, last } = world((_call, number) => {
      if (silent.now) throw new Error("unreachable");
      return orders({ ...every2s, orders: number === 1 ? [runOrder()] : [] });
    });
    await clock.pass(50);
    only().started();
    await clock.pass(50);
    silent.now = true;
    await clock.pass(12_000);
    only().exited(3);
    await clock.pass(19_000);
    expect(only().requests).toEqual([]);
    await clock.pass(2_000);
    expect(only().requests).toEqual(["upload whole"]);
    only().uploaded();
    silent.now = false;
    await clock.pass(1_000);
    expect(last()).toEqual([{ ...ref, phase: "exited", exitCode: 3, startedAtMs: 5, uploads: false }]);
  });

  test("the agent does not upload an attempt whose end could not be recorded until it is", async () => {
    const recorded = { now: false };
    const { clock, only } = world((call, number) =>
      orders({
        ...every2s,
        orders: number === 1 ? [runOrder()] : [],
        unrecorded: recorded.now ? [] : call.attempts.map(({ team, job, attempt }) => ({ team, job, attempt })),
      }),
    );
    await clock.pass(50);
    only().started();
    only().exited(0);
    await clock.pass(4_000);
    expect(only().requests).toEqual([]);
    recorded.now = true;
    await clock.pass(2_000);
    expect(only().requests).toEqual(["upload"]);
  });

  test("the agent does not upload an attempt that the response stops if the server is then done with it", async () => {
    const reports: unknown[] = [];
    const { clock, only } = world((call, number) => {
      reports.push(call.attempts[0]);
      const phase = call.attempts[0]?.phase;
      const stop = { kind: "stop", ...ref, because: "the attempt no longer belongs to this node" } as const;
      return orders({
        ...every2s,
        orders: number === 1 ? [runOrder()] : phase === "exited" ? [stop] : [],
        done: phase === "stopped" ? [ref] : [],
      });
    });
    await clock.pass(50);
    only().started();
    await clock.pass(50);
    only().exited(0);
    await clock.pass(200);
    expect(only().requests).toEqual(["remove"]);
    expect(reports).toContainEqual({ ...ref, phase: "stopped", reason: "the attempt no longer belongs to this node", uploads: true });
  });

  test("the agent keeps a successful end if an order to stop crosses its report", async () => {
    const clock = new ManualClock();
    const hook: { tell?: () => void } = {};
    const { only } = world(() => orders(), {
      clock,
      call: async (call) => {
        const [report] = call.kind === "report" ? call.attempts : [];
        if (report === undefined) return orders({ ...every2s, orders: [runOrder()] });
        if (report.phase !== "running") return orders(every2s);
        hook.tell?.();
        return orders({ ...every2s, orders: [{ kind: "stop", ...ref, because: "its node is drained" }] });
      },
    });
    await clock.pass(50);
    hook.tell = () => only().exited(0);
    only().started();
    await clock.pass(200);
    expect(only().requests).toEqual(["upload"]);
  });

  test("the agent numbers its calls, also those that get no response", async () => {
    const { clock, calls } = world((_call, number) => {
      if (number === 2) throw new Error("no response");
      return orders(every2s);
    });
    await clock.pass(6_000);
    expect(calls.slice(0, 3).map(({ call: { session, sequence } }) => [session, sequence])).toEqual([
      [1, 1],
      [1, 2],
      [1, 3],
    ]);
  });

  test("an agent whose session is over begins another one after a second, and keeps what it runs", async () => {
    let sessions = 0;
    const kinds: string[] = [];
    const clock = new ManualClock();
    const { only } = world(() => orders(), {
      clock,
      begin: async () => ({ kind: "session", session: ++sessions }),
      call: async (call) => {
        if (call.kind !== "report") throw new Error("not a report");
        kinds.push(`${clock.monotonicMs()}: ${call.session}.${call.sequence}, ${call.attempts.length} attempts`);
        if (call.session === 1 && call.sequence > 1) return { kind: "no-session" };
        return orders({ ...every2s, orders: [runOrder()] });
      },
    });
    await clock.pass(50);
    only().started();
    await clock.pass(1_200);
    expect(kinds.slice(0, 3)).toEqual(["0: 1.1, 0 attempts", "50: 1.2, 1 attempts", "1050: 2.1, 1 attempts"]);
    expect(only().requests).toEqual([]);
  });

  test("an agent that cannot begin a session calls again when the response allows it, and ends if the server orders it", async () => {
    const begun: number[] = [];
    const clock = new ManualClock();
    const { calls, end } = world(() => orders(), {
      clock,
      begin: async () => {
        begun.push(clock.monotonicMs());
        return begun.length < 3 ? { kind: "wait", callAgainMs: 1_000 } : { kind: "shutdown", because: "the node has been given back" };
      },
    });
    await clock.pass(3_000);
    expect([begun, calls, end()]).toEqual([[0, 1_000, 2_000], [], { kind: "shutdown", because: "the node has been given back" }]);
  });

  test("the agent confirms the stop of an attempt that it never had", async () => {
    const { clock, last } = world((_call, number) =>
      orders({ ...every2s, orders: number === 1 ? [{ kind: "stop", ...ref, because: "cancelled" }] : [] }),
    );
    await clock.pass(100);
    expect(last()).toEqual([{ ...ref, phase: "stopped", reason: "cancelled" }]);
  });

  test("the agent stops an attempt with a grace period, reports it stopped only after its end, and then forgets it", async () => {
    const say: { stop: boolean; done: boolean } = { stop: false, done: false };
    const { clock, only, last } = world((_call, number) =>
      orders({
        ...every2s,
        orders: number === 1 ? [runOrder()] : say.stop ? [{ kind: "stop", ...ref, because: "the pool shrinks" }] : [],
        done: say.done ? [ref] : [],
      }),
    );
    await clock.pass(50);
    only().started();
    await clock.pass(50);
    say.stop = true;
    await clock.pass(4_000);
    expect(only().requests).toEqual(["stop 30000"]);
    expect(last()).toMatchObject([{ phase: "running" }]);
    say.stop = false;
    only().exited(143);
    await clock.pass(50);
    expect(last()).toEqual([{ ...ref, phase: "stopped", reason: "the pool shrinks", uploads: true }]);
    expect(only().requests).toEqual(["stop 30000", "upload"]);
    only().uploaded();
    await clock.pass(50);
    expect(last()).toEqual([{ ...ref, phase: "stopped", reason: "the pool shrinks", uploads: false }]);
    say.done = true;
    await clock.pass(2_000);
    expect(only().requests).toEqual(["stop 30000", "upload", "remove"]);
    await clock.pass(2_000);
    expect(last()).toEqual([]);
  });

  test("the agent stops an attempt that the server no longer knows before it forgets it", async () => {
    const { clock, only, last } = world((_call, number) =>
      orders({ ...every2s, orders: number === 1 ? [runOrder()] : [], done: number > 2 ? [ref] : [] }),
    );
    await clock.pass(50);
    only().started();
    await clock.pass(2_000);
    expect(only().requests).toEqual(["stop 30000"]);
    only().exited(0);
    await clock.pass(100);
    expect(only().requests).toEqual(["stop 30000", "remove"]);
    expect(last()).toEqual([]);
  });

  test("the agent gives each attempt its own GPUs, and those of an ended program to the next", async () => {
    const two = runOrder({ gpus: { count: 2, memoryGiB: 0, models: [] } });
    const { clock, puppets } = world((_call, number) => {
      if (number === 1) return orders({ ...every2s, orders: [two, runOrder({}, { job: "train-2" })] });
      return orders({ ...every2s, orders: number === 3 ? [runOrder({}, { job: "train-3" })] : [] });
    });
    await clock.pass(50);
    puppets[0]?.started();
    await clock.pass(50);
    puppets[0]?.exited(0);
    await clock.pass(2_000);
    expect(puppets.map((puppet) => puppet.gpus)).toEqual([[0, 1], [2], [0]]);
  });

  test("the agent asks for new credentials 15 minutes before they expire", async () => {
    const clock = new ManualClock();
    const respond = (call: Report, number: number) => {
      const expiresAtMs = clock.wallMs() + 3_600_000;
      const credentials = { accessKeyId: "a", secretAccessKey: "s", sessionToken: "t", expiresAtMs };
      return orders({
        callAgainMs: 60_000,
        orders: number === 1 ? [runOrder({}, { credentials })] : [],
        renewed: call.renew.map((each) => ({ ...each, credentials })),
      });
    };
    const { calls, only } = world(respond, { clock });
    await clock.pass(50);
    only().started();
    await clock.pass(44 * 60_000);
    expect(calls.some(({ call }) => call.renew.length > 0)).toBe(false);
    await clock.pass(2 * 60_000);
    expect(calls.filter(({ call }) => call.renew.length > 0).map(({ call }) => call.renew)).toEqual([[ref]]);
    await clock.pass(60_000);
    expect(calls.at(-1)?.call.renew).toEqual([]);
  });

  test("the agent reports the attempts that an earlier process of the worker ran", async () => {
    const { clock, calls } = world((call) => orders({ ...every2s, done: call.attempts.map(() => ref) }), { leftovers: [ref] });
    await clock.pass(2_000);
    expect(calls.map(({ call }) => call.attempts)).toEqual([
      [{ ...ref, phase: "stopped", reason: "the worker on this node was restarted" }],
      [],
    ]);
  });
});

describe("facts about the instance", () => {
  test("facts about the instance are reported with each call, and without waiting when they change", async () => {
    const facts: { now: Facts } = { now: {} };
    const { agent, clock, calls } = world(() => orders({ callAgainMs: 10_000 }), { facts: () => facts.now });
    await clock.pass(3_000);
    facts.now = { address: "10.0.0.7", notice: { kind: "interruption", atMs: 5 } };
    agent.callSoon();
    await clock.pass(20_000);
    expect(calls.map(({ atMs, call }) => [atMs, call.address, call.notice?.kind])).toEqual([
      [0, undefined, undefined],
      [3_000, "10.0.0.7", "interruption"],
      [13_000, "10.0.0.7", "interruption"],
      [23_000, "10.0.0.7", "interruption"],
    ]);
  });

  test("facts that change during a call cause another call", async () => {
    const clock = new ManualClock();
    const calledMs: number[] = [];
    const { agent } = world(() => orders(), {
      clock,
      call: async () => {
        calledMs.push(clock.monotonicMs());
        if (calledMs.length === 1) await new Promise<void>((resolve) => clock.after(1_000, resolve));
        return orders({ callAgainMs: 10_000 });
      },
    });
    await clock.pass(500);
    agent.callSoon();
    await clock.pass(1_000);
    expect(calledMs).toEqual([0, 1_000]);
  });
});

describe("a member of a gang", () => {
  const member = (rank: number) => runOrder({ nodes: 2 }, { gang: { rank, size: 2, master: { address: "10.0.0.7", port: 20_000 } } });

  test("a gang member that is not the first uploads nothing and is dropped when the server has recorded its exit", async () => {
    const done = { now: false };
    const { clock, only, last } = world((call, number) =>
      orders({ ...every2s, orders: number === 1 ? [member(1)] : [], done: done.now && call.attempts.length > 0 ? [ref] : [] }),
    );
    await clock.pass(50);
    only().started();
    only().exited(0);
    await clock.pass(10_000);
    expect(last()).toMatchObject([{ phase: "exited", exitCode: 0 }]);
    done.now = true;
    await clock.pass(4_000);
    expect(only().requests).toEqual(["remove"]);
    expect(last()).toEqual([]);
  });

  test("the first member of a gang uploads like any job", async () => {
    const { clock, only } = world((_call, number) => orders({ ...every2s, orders: number === 1 ? [member(0)] : [] }));
    await clock.pass(50);
    only().started();
    only().exited(0);
    await clock.pass(100);
    expect(only().requests).toEqual(["upload"]);
  });
});

describe("a server that does not respond", () => {
  const silentAfter = (last: number, first = runOrder()) =>
    world((_call, number) => {
      if (number > last) throw new Error("unreachable");
      return orders({ islandMs: 900_000, callAgainMs: 10_000, orders: number === 1 ? [first] : [] });
    });

  test("the agent retries with pauses while the server does not respond", async () => {
    const { clock, calls } = silentAfter(1);
    await clock.pass(20_000);
    expect(calls.slice(1).map((each) => each.atMs)).toEqual(Array.from({ length: 21 }, (_, n) => 10_000 + n * 500));
  });

  test("what runs goes on for hours without a response, and the node ends itself after the time that the server named", async () => {
    const hour = 3_600_000;
    const { clock, only, end } = world((_call, number) => {
      if (number > 2) throw new Error("unreachable");
      return orders({ islandMs: 5 * hour, callAgainMs: 10_000, orders: number === 1 ? [runOrder()] : [] });
    });
    await clock.pass(50);
    only().started();
    await clock.pass(5 * hour - 1);
    expect(only().requests).toEqual([]);
    await clock.pass(1);
    expect(only().requests).toEqual(["stop 30000"]);
    only().exited(143);
    await clock.pass(1);
    expect(only().requests).toEqual(["stop 30000", "upload whole"]);
    only().uploaded();
    await clock.pass(1);
    expect(end()).toEqual({ kind: "shutdown", because: "no call has got a response for 5.0 h; the last one: unreachable" });
  });

  /** A worker with one attempt, whose calls get no response while `silent.now`. */
  function soonCutOff() {
    const silent = { now: false };
    const stage = world((_call, number) => {
      if (silent.now) throw new Error("unreachable");
      const soonOver = runOrder({}, { credentials: someCredentials(0) });
      return orders({ islandMs: 24 * 3_600_000, callAgainMs: 10_000, orders: number === 1 ? [soonOver] : [] });
    });
    return { silent, ...stage };
  }

  test("a node whose work ends without a response keeps its result, and delivers it when somebody responds", async () => {
    const { silent, clock, only, last, end } = soonCutOff();
    await clock.pass(50);
    only().started();
    silent.now = true;
    await clock.pass(60 * 60_000);
    only().exited(0);
    await clock.pass(2 * 3_600_000);
    // S3 does not take it, so the node keeps it.
    expect(only().requests.filter((request) => request === "leave exited whole").length).toBeGreaterThan(3);
    silent.now = false;
    await clock.pass(60_000);
    expect(end()).toBeUndefined();
    expect(last()).toMatchObject([{ phase: "exited", exitCode: 0 }]);
  });

  test("a node that runs nothing leaves its results on S3 after fifteen minutes without a response, and ends once S3 holds them whole", async () => {
    const { silent, clock, only, end } = soonCutOff();
    await clock.pass(50);
    only().started();
    silent.now = true;
    await clock.pass(2 * 3_600_000);
    only().exited(0);
    await clock.pass(14 * 60_000);
    expect(only().requests).toEqual([]);
    await clock.pass(2 * 60_000);
    expect(only().requests).toEqual(["leave exited whole"]);
    expect(end()).toBeUndefined();
    only().fits = true;
    await clock.pass(15 * 60_000);
    expect(only().requests).toEqual(["leave exited whole", "leave exited whole"]);
    expect(end()).toMatchObject({ kind: "shutdown", because: expect.stringContaining("no call has got a response for 2.5 h") });
  });

  test("a node that begins a program while it leaves its results does not end", async () => {
    const silent = { now: false };
    const { clock, puppets, end } = world((call) => {
      if (silent.now) throw new Error("unreachable");
      const orderOf = (job: string) => runOrder({}, { job, credentials: someCredentials(0) });
      const toRun = call.attempts.length === 0 ? [orderOf("train-1")] : [orderOf("train-2")];
      return orders({ islandMs: 24 * 3_600_000, callAgainMs: 10_000, orders: toRun });
    });
    await clock.pass(50);
    const [first] = puppets;
    const left = Promise.withResolvers<boolean>();
    Object.assign(first ?? {}, { leave: () => left.promise });
    first?.started();
    await clock.pass(1);
    silent.now = true;
    first?.exited(0);
    await clock.pass(16 * 60_000);
    silent.now = false;
    await clock.pass(10_000);
    silent.now = true;
    expect(puppets.map(({ order }) => order.job)).toEqual(["train-1", "train-2"]);
    left.resolve(true);
    await clock.pass(3_600_000);
    expect(end()).toBeUndefined();
  });

  test("a node without work ends itself fifteen minutes after the last call that got a response", async () => {
    const { clock, end } = world((_call, number) => {
      if (number > 1) throw new Error("unreachable");
      return orders({ islandMs: 24 * 3_600_000, callAgainMs: 10_000 });
    });
    await clock.pass(15 * 60_000 - 1);
    expect(end()).toBeUndefined();
    await clock.pass(1);
    expect(end()).toEqual({ kind: "shutdown", because: "no call has got a response for 15 min; the last one: unreachable" });
  });

  test("the time counts from the sending of the call, not from its late response", async () => {
    const clock = new ManualClock();
    const { only } = world(() => orders(), {
      clock,
      call: async () => {
        if (clock.monotonicMs() > 0) throw new Error("unreachable");
        await new Promise<void>((resolve) => clock.after(9_000, resolve));
        return orders({ islandMs: 40_000, callAgainMs: 5_000, orders: [runOrder()] });
      },
    });
    await clock.pass(39_999);
    expect(only().requests).toEqual([]);
    await clock.pass(1);
    expect(only().requests).toEqual(["stop 30000"]);
  });

  test("a worker that never gets orders ends its instance after fifteen minutes, even if the server lets it wait", async () => {
    for (const respond of [() => ({ kind: "wait", callAgainMs: 1_000 }) as const, () => Promise.reject(new Error("unreachable"))]) {
      const { clock, end } = world(() => orders(), { call: async () => respond() });
      await clock.pass(15 * 60_000 - 1);
      expect(end()).toBeUndefined();
      await clock.pass(1);
      expect(end()).toMatchObject({ kind: "shutdown", because: expect.stringMatching(/^no call of this node ever got orders/) });
    }
  });
});

describe("the end of the worker", () => {
  test("the agent stops all attempts before it follows a shutdown order", async () => {
    const { clock, only, end } = world((_call, number) =>
      number === 1 ? orders({ ...every2s, orders: [runOrder()] }) : { kind: "shutdown", because: "given back" },
    );
    await clock.pass(50);
    only().started();
    await clock.pass(1_000);
    expect(only().requests).toEqual(["stop 30000"]);
    expect(end()).toBeUndefined();
    only().exited(143);
    await clock.pass(100);
    expect(only().requests).toEqual(["stop 30000", "upload"]);
    only().uploaded();
    await clock.pass(100);
    expect(only().requests).toEqual(["stop 30000", "upload", "remove"]);
    expect(end()).toEqual({ kind: "shutdown", because: "given back" });
  });

  test("a terminated worker stops its attempts, reports them and ends", async () => {
    const { agent, clock, only, last, end } = world((_call, number) => orders({ ...every2s, orders: number === 1 ? [runOrder()] : [] }));
    await clock.pass(50);
    only().started();
    await clock.pass(50);
    agent.terminate();
    await clock.pass(100);
    only().exited(143);
    await clock.pass(100);
    const stopped = { ...ref, phase: "stopped", reason: "the worker was asked to end" };
    expect(last()).toEqual([{ ...stopped, uploads: true }]);
    only().uploaded();
    await clock.pass(100);
    expect(last()).toEqual([{ ...stopped, uploads: false }]);
    expect(end()?.kind).toBe("terminated");
  });

  describe("that nobody answers", () => {
    /** An agent that nobody answers once its job runs. `over` may say when EC2 reclaims the instance. */
    function unanswered(over: Over = {}, order = runOrder()) {
      const silent = { now: false };
      const begun = world((_call, number) => {
        if (silent.now) throw new Error("unreachable");
        return orders({ islandMs: 3_600_000, callAgainMs: 2_000, orders: number === 1 ? [order] : [] });
      }, over);
      return { ...begun, silent };
    }
    let kept: Puppet;
    /** An attempt that an earlier process of the worker ran to its end. Its credentials have expired. */
    const keptOf = (exitCode: number): NonNullable<AgentOptions["kept"]>[number] => ({
      ref,
      end: { phase: "exited", startedAtMs: 5, exitCode, uploads: true },
      open: (emit) => {
        kept = new Puppet(runOrder({}, { credentials: someCredentials(0) }), [], emit);
        return kept;
      },
    });
    const soonOver = runOrder({}, { credentials: someCredentials(30_000) });

    test("an upload that fails while nobody answers costs no result: it is repeated when somebody does", async () => {
      const { clock, only, last, silent } = unanswered();
      await clock.pass(50);
      only().started();
      await clock.pass(50);
      silent.now = true;
      only().exited(0);
      await clock.pass(40_000);
      expect(only().requests).toEqual(["upload whole"]);
      only().tell({ kind: "failed", reason: "S3 cannot be reached", again: true, leaves: true });
      await clock.pass(4 * 60_000);
      expect(only().requests).toEqual(["upload whole"]);
      await clock.pass(2 * 60_000);
      expect(only().requests).toEqual(["upload whole", "upload whole"]);
      only().tell({ kind: "failed", reason: "S3 cannot be reached", again: true, leaves: true });
      silent.now = false;
      await clock.pass(10_000);
      expect(last()).toEqual([{ ...ref, phase: "exited", exitCode: 0, startedAtMs: 5, uploads: true }]);
      expect(only().requests).toEqual(["upload whole", "upload whole", "upload"]);
      // Somebody answers now, so a failure is final, as ever.
      only().tell({ kind: "failed", reason: "S3 refuses it", again: true, leaves: true });
      await clock.pass(2_000);
      expect(last()).toMatchObject([{ phase: "failed", reason: "S3 refuses it" }]);
    });

    test("no upload begins with credentials that have expired, which only the server can renew", async () => {
      const { clock, only, silent } = unanswered({}, soonOver);
      await clock.pass(50);
      only().started();
      await clock.pass(50);
      silent.now = true;
      only().exited(0);
      await clock.pass(20 * 60_000);
      expect(only().requests).toEqual(["leave exited whole"]);
    });

    test("a node with work that ends itself leaves its outbox, and keeps what it holds on the disk", async () => {
      const { clock, only, silent, end } = unanswered({}, soonOver);
      await clock.pass(50);
      only().started();
      await clock.pass(50);
      silent.now = true;
      await clock.pass(3_600_000);
      expect(only().requests).toEqual(["stop 30000"]);
      only().exited(143);
      await clock.pass(60_000);
      expect(only().requests).toEqual(["stop 30000", "leave stopped"]);
      expect(end()).toMatchObject({ kind: "shutdown" });
    });

    test("a program that does not end is not left as ended", async () => {
      const { clock, only, silent, end } = unanswered({}, soonOver);
      await clock.pass(50);
      only().started();
      await clock.pass(50);
      silent.now = true;
      await clock.pass(3_600_000 + 120_000);
      expect(end()).toMatchObject({ kind: "shutdown" });
      expect(only().requests).toEqual(["stop 30000"]);
    });

    test("a worker that is asked to end leaves its outbox, because the machine may be shutting down", async () => {
      const { agent, clock, only, silent, end } = unanswered({}, soonOver);
      await clock.pass(50);
      only().started();
      only().exited(0);
      silent.now = true;
      await clock.pass(10_000);
      agent.terminate();
      await clock.pass(60_000);
      expect(only().requests).toEqual(["leave exited"]);
      expect(end()).toMatchObject({ kind: "terminated" });
    });

    test("a worker whose last call gets a response leaves no outbox", async () => {
      const { agent, clock, only, silent } = unanswered();
      await clock.pass(50);
      only().started();
      only().exited(3);
      silent.now = true;
      await clock.pass(10_000);
      silent.now = false;
      agent.terminate();
      await clock.pass(60_000);
      expect(only().requests.at(-1)).toBe("remove");
      expect(only().requests.filter((request) => request.startsWith("leave"))).toEqual([]);
    });

    test("an attempt that an earlier process ran to its end is delivered once its credentials are renewed", async () => {
      const answers = { now: false };
      const { clock, last, puppets } = world(
        (call, number) => {
          if (!answers.now) throw new Error("unreachable");
          const renewed = call.renew.map((of) => ({ ...of, credentials: someCredentials(3_600_000) }));
          return orders({ islandMs: 3_600_000, callAgainMs: 2_000, renewed, done: number > 999 ? [ref] : [] });
        },
        { kept: [keptOf(0)] },
      );
      await clock.pass(120_000);
      expect(kept.requests).toEqual([]);
      answers.now = true;
      await clock.pass(6_000);
      expect(last()).toEqual([{ ...ref, phase: "exited", exitCode: 0, startedAtMs: 5, uploads: true }]);
      expect(kept.requests).toEqual(["upload"]);
      kept.uploaded();
      await clock.pass(50);
      expect(last()).toEqual([{ ...ref, phase: "uploaded", startedAtMs: 5 }]);
      expect(puppets).toEqual([]);
    });

    test("a worker that restarts while nobody answers starts nothing, and leaves what the last process kept after fifteen minutes", async () => {
      const { clock, puppets, end } = world(
        () => {
          throw new Error("unreachable");
        },
        { kept: [keptOf(3)], begin: () => Promise.reject(new Error("unreachable")) },
      );
      await clock.pass(14 * 60_000);
      expect([kept.requests, end()]).toEqual([[], undefined]);
      await clock.pass(3 * 60_000);
      expect(kept.requests).toEqual(["leave exited"]);
      expect([puppets, end()]).toMatchObject([[], { kind: "shutdown" }]);
    });

    test("a worker that restarts has the time as an island that its earlier processes have left over", async () => {
      const saved: IslandTime[] = [];
      const restarted = (from: IslandTime) =>
        world(() => orders(), {
          kept: [keptOf(3)],
          islandTime: { from, save: (time) => saved.push(time) },
          begin: () => Promise.reject(new Error("unreachable")),
        });
      const [minute, hour] = [60_000, 3_600_000];
      // Nothing has run for ten minutes of 23 hours.
      const first = restarted({ unansweredMs: 23 * hour, idleMs: 10 * minute, islandMs: 24 * hour });
      await first.clock.pass(4 * minute);
      expect(saved.at(-1)).toEqual({ unansweredMs: 23 * hour + 4 * minute, idleMs: 14 * minute, islandMs: 24 * hour });
      expect([kept.requests, first.end()]).toEqual([[], undefined]);
      await first.clock.pass(2 * minute);
      // S3 does not take the result, so the node keeps it until its hours are over.
      expect([kept.requests, first.end()]).toEqual([["leave exited whole"], undefined]);
      await first.clock.pass(50 * minute);
      expect(first.end()).toBeUndefined();
      await first.clock.pass(5 * minute);
      expect(first.end()).toMatchObject({ kind: "shutdown", because: expect.stringContaining("24.0 h") });
      expect(kept.requests.at(-1)).toBe("leave exited");

      const second = restarted({ unansweredMs: 23 * hour, idleMs: 10 * minute, islandMs: 24 * hour });
      kept.fits = true;
      await second.clock.pass(6 * minute);
      expect([kept.requests, second.end()]).toMatchObject([["leave exited whole"], { kind: "shutdown" }]);
    });

    test("a response ends the time as an island, on the disk, too", async () => {
      const saved: IslandTime[] = [];
      const from = { unansweredMs: 7_200_000, idleMs: 60_000, islandMs: 3_600_000 * 3 };
      const { clock, end } = world(() => orders({ islandMs: 3_600_000, callAgainMs: 2_000 }), {
        islandTime: { from, save: (time) => saved.push(time) },
      });
      await clock.pass(3_600_000);
      expect(saved).toEqual([{ unansweredMs: 0, idleMs: 0, islandMs: 3_600_000 }]);
      expect(end()).toBeUndefined();
    });

    test("a worker makes no call while programs of the last process may run, and ends its node as an island that runs nothing", async () => {
      const gone = Promise.withResolvers<(typeof ref)[]>();
      const { clock, calls, end } = world(() => orders({ callAgainMs: 2_000 }), {
        kept: [keptOf(0)],
        leftovers: gone.promise,
        islandTime: { from: { unansweredMs: 0, idleMs: 0, islandMs: 3_600_000 }, save: () => {} },
      });
      kept.fits = true;
      await clock.pass(15 * 60_000 - 1);
      expect([kept.requests, calls, end()]).toEqual([[], [], undefined]);
      await clock.pass(1);
      expect([kept.requests, calls]).toEqual([["leave exited whole"], []]);
      expect(end()).toMatchObject({ kind: "shutdown", because: expect.stringContaining("what the last process of the worker ran") });
    });

    test("a worker reports what the last process ran as over when it is gone, and then counts as any other", async () => {
      const gone = Promise.withResolvers<(typeof ref)[]>();
      const { clock, calls, last, end } = world(() => orders({ callAgainMs: 2_000 }), { leftovers: gone.promise });
      await clock.pass(60_000);
      expect(calls).toEqual([]);
      gone.resolve([ref]);
      await clock.pass(50);
      expect(last()).toEqual([{ ...ref, phase: "stopped", reason: "the worker on this node was restarted" }]);
      await clock.pass(3_600_000);
      expect(end()).toBeUndefined();
    });

    test("a worker that ends before a call gets a response keeps on the disk what the last process kept", async () => {
      const { agent, clock, end } = world(() => orders(), { kept: [keptOf(0)], begin: () => Promise.reject(new Error("unreachable")) });
      await clock.pass(50);
      agent.terminate();
      await clock.pass(60_000);
      expect([kept.requests, end()]).toMatchObject([["leave exited"], { kind: "terminated" }]);
    });

    test("a node that EC2 reclaims stops its program 90 s before, leaves its outbox and ends", async () => {
      const { clock, only, silent, end } = unanswered({ endsAtMs: () => 120_000 }, soonOver);
      await clock.pass(50);
      only().started();
      await clock.pass(50);
      silent.now = true;
      await clock.pass(29_000);
      expect(only().requests).toEqual([]);
      await clock.pass(2_000);
      expect(only().requests).toEqual(["stop 30000"]);
      only().exited(143);
      await clock.pass(60_000);
      expect(only().requests).toEqual(["stop 30000", "leave stopped"]);
      expect(end()).toMatchObject({ kind: "shutdown", because: expect.stringContaining("reclaiming") });
    });
  });

  describe("before EC2 reclaims the instance", () => {
    const endsAtMs = () => 120_000;
    const two = (_call: Report, number: number) =>
      orders({ ...every2s, orders: number === 1 ? [runOrder(), runOrder({}, { job: "train-2" })] : [] });

    test("an upload lists what it has sent 15 s before, and that of a successful run half of that time later", async () => {
      const { clock, puppets, last } = world(two, { endsAtMs });
      await clock.pass(50);
      for (const puppet of puppets) puppet.started();
      puppets[0]?.exited(3);
      puppets[1]?.exited(0);
      await clock.pass(104_900);
      expect(puppets.map(({ requests }) => requests)).toEqual([["upload"], ["upload"]]);
      await clock.pass(100);
      expect(puppets.map(({ requests }) => requests)).toEqual([["upload", "stop 30000"], ["upload"]]);
      puppets[0]?.uploaded();
      await clock.pass(100);
      expect(last()[0]).toEqual({ ...ref, phase: "exited", exitCode: 3, startedAtMs: 5, uploads: false });
      await clock.pass(7_500);
      expect(puppets.map(({ requests }) => requests)).toEqual([
        ["upload", "stop 30000"],
        ["upload", "stop 30000"],
      ]);
      puppets[1]?.tell({ kind: "failed", reason: "cut", again: true, leaves: true });
      await clock.pass(100);
      expect(last()[1]).toMatchObject({ job: "train-2", phase: "stopped", reason: "EC2 is reclaiming the instance" });
    });

    test.each([
      [60_000, 105_000],
      [108_000, 112_500],
      [113_000, 116_250],
    ])("an upload that begins at %i ms lists what it has sent at %i ms", async (beginsAtMs, cutAtMs) => {
      const { clock, puppets } = world(two, { endsAtMs });
      await clock.pass(50);
      puppets[0]?.started();
      await clock.pass(beginsAtMs - 50);
      puppets[0]?.exited(3);
      await clock.pass(cutAtMs - beginsAtMs - 50);
      expect(puppets[0]?.requests).toEqual(["upload"]);
      await clock.pass(100);
      expect(puppets[0]?.requests).toEqual(["upload", "stop 30000"]);
    });

    test("the notice of an instance's watch leaves an upload the time until 15 s before the end", async () => {
      const clock = new ManualClock();
      const time = new Date(clock.wallMs() + 120_000).toISOString();
      const metadata = {
        get: async (path: string) => (path.endsWith("instance-action") ? `{"action": "terminate", "time": "${time}"}` : undefined),
      };
      const { signal } = new AbortController();
      const news = watchInstance({ metadata, clock, log: workerLogInto([]), signal, changed: () => undefined });
      const { puppets, calls } = world(two, { clock, endsAtMs: () => news().endsAtMs, facts: () => ({ notice: news().notice }) });
      await clock.pass(50);
      puppets[0]?.started();
      puppets[0]?.exited(3);
      await clock.pass(104_000);
      expect(puppets[0]?.requests).toEqual(["upload"]);
      expect(calls.at(-1)?.call.notice?.kind).toBe("interruption");
      await clock.pass(2_000);
      expect(puppets[0]?.requests).toEqual(["upload", "stop 30000"]);
    });
  });

  test("an upload that takes too long is stopped and does not keep the worker from ending", async () => {
    const { agent, clock, only, end } = world((_call, number) => orders({ ...every2s, orders: number === 1 ? [runOrder()] : [] }));
    await clock.pass(50);
    only().started();
    await clock.pass(50);
    agent.terminate();
    await clock.pass(100);
    only().exited(143);
    await clock.pass(29_000);
    expect(only().requests).toEqual(["stop 30000", "upload"]);
    await clock.pass(12_000);
    expect(only().requests).toEqual(["stop 30000", "upload", "stop 30000", "remove"]);
    expect(end()?.kind).toBe("terminated");
  });

  test("an attempt that cannot be stopped does not keep the node from ending", async () => {
    const { agent, clock, puppets, end } = world((_call, number) => orders({ ...every2s, orders: number === 1 ? [runOrder()] : [] }));
    await clock.pass(50);
    agent.terminate();
    await clock.pass(35_100);
    expect(puppets[0]?.requests).toEqual(["stop 30000", "remove"]);
    expect(end()?.kind).toBe("terminated");
  });
});

describe("the pauses between calls", () => {
  test("pauses grow while calls fail, up to five seconds, and are short again after a success", async () => {
    const broken = new Set([2, 3, 4, 5, 6, 7, 9]);
    const { clock, calls } = world(
      (_call, number) => {
        if (broken.has(number)) throw new Error("unreachable");
        return orders({ islandMs: 900_000, callAgainMs: 10_000 });
      },
      { random: () => 0.5 },
    );
    await clock.pass(60_000);
    const pauses = calls.slice(1).map(({ atMs }, n) => atMs - (calls[n]?.atMs ?? 0));
    expect(pauses.slice(0, 9)).toEqual([10_000, 750, 1_250, 2_250, 2_750, 2_750, 2_750, 10_000, 750]);
  });

  test("a pause is never longer than a minute, nor shorter than 50 ms", async () => {
    const slow = world(() => orders({ islandMs: 900_000, callAgainMs: 600_000 }));
    await slow.clock.pass(60_000);
    expect(slow.calls.map(({ atMs }) => atMs)).toEqual([0, 60_000]);
    const fast = world(() => orders({ islandMs: 900_000, callAgainMs: 0 }));
    await fast.clock.pass(100);
    expect(fast.calls.map(({ atMs }) => atMs)).toEqual([0, 50, 100]);
  });

  test("a report names at most 500 attempts", async () => {
    const leftovers = Array.from({ length: 501 }, (_, n) => ({ ...ref, job: `j${n}` }));
    const { clock, last } = world(() => orders(every2s), { leftovers });
    await clock.pass(50);
    expect(last()).toHaveLength(500);
  });
});

describe("the last things that a worker does", () => {
  const endsWith = async (over: Partial<AgentOptions> = {}) => {
    const all = world((_call, number) => orders({ ...every2s, orders: number === 1 ? [runOrder()] : [] }), over);
    await all.clock.pass(50);
    all.only().started();
    await all.clock.pass(50);
    all.agent.terminate();
    return all;
  };

  test("a program gets 35 s to end, an upload 30 s, and the list of what it has sent 10 s", async () => {
    const { clock, only, end } = await endsWith();
    await clock.pass(34_999);
    expect(only().requests).toEqual(["stop 30000"]);
    only().exited(143);
    await clock.pass(29_999);
    expect(only().requests).toEqual(["stop 30000", "upload"]);
    await clock.pass(2);
    expect(only().requests).toEqual(["stop 30000", "upload", "stop 30000"]);
    await clock.pass(9_997);
    expect(end()).toBeUndefined();
    await clock.pass(2);
    expect(end()).toEqual({ kind: "terminated", because: "the worker was asked to end" });
  });

  test("a worker ends only after its last call has returned", async () => {
    const returned = Promise.withResolvers<void>();
    const { clock, only, end } = await endsWith({
      call: async (call) => {
        if (call.kind === "report" && call.attempts.some(({ phase }) => phase === "stopped")) await returned.promise;
        return orders({ ...every2s, orders: call.kind === "report" && call.attempts.length === 0 ? [runOrder()] : [] });
      },
    });
    await clock.pass(1);
    only().exited(143);
    await clock.pass(1_000);
    only().uploaded();
    await clock.pass(1_000);
    expect([only().requests, end()]).toEqual([["stop 30000", "upload"], undefined]);
    returned.resolve();
    await clock.pass(1);
    expect(end()?.kind).toBe("terminated");
  });

  test("a worker ends only after the files of its attempts are removed", async () => {
    const removed = Promise.withResolvers<void>();
    const { clock, only, end } = await endsWith();
    only().remove = () => removed.promise;
    only().exited(143);
    only().uploaded();
    await clock.pass(1_000);
    expect(end()).toBeUndefined();
    removed.resolve();
    await clock.pass(1);
    expect(end()?.kind).toBe("terminated");
  });
});
