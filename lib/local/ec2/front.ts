/**
 * The EC2 of the local cloud. moto stores networks, templates, tags and types. This front adds what moto lacks: client tokens,
 * capacity, prices, state changes over time, and instances that really work.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { HttpCall, HttpResponse } from "../requests/http.ts";
import type { Identities } from "../requests/identities.ts";
import { Ec2Error, errorResponse, formOf, regionOf } from "../requests/query-protocol.ts";
import type { LocalLog } from "../run/log-line.ts";
import { defaultBehaviour, type Ec2Behaviour } from "./behaviour/behaviour.ts";
import { between, generator } from "./behaviour/seeded.ts";
import { createClientTokens } from "./calls/client-tokens.ts";
import { createFleet, type FleetMaker } from "./calls/create-fleet.ts";
import { parseFleetRequest, tagsFor } from "./calls/fleet-request.ts";
import { describeInstances, terminateInstances } from "./calls/instances.ts";
import { launchedIn } from "./calls/launch-instances.ts";
import { refuseTooMuch } from "./calls/request-limits.ts";
import { createRequestRates } from "./calls/request-rates.ts";
import type { InstanceFacts } from "./instances/instance.ts";
import { createLifecycle, type Lifecycle } from "./instances/lifecycle.ts";
import { reclaim } from "./instances/reclaim.ts";
import { createStateEvents, type PutEvent } from "./instances/state-events.ts";
import { createWatchdog } from "./instances/watchdog.ts";
import { connectMoto, type Moto } from "./moto/moto.ts";
import { readXml } from "./moto/xml-document.ts";
import { createCapacity, type EmulatedCapacity } from "./offers/capacity.ts";
import { createOfferings } from "./offers/offerings.ts";
import { pricingResponse } from "./offers/pricing.ts";
import { describeSpotPriceHistory } from "./offers/spot-prices.ts";
import { createOrders, type Ec2Record, type FleetCall, type FleetOutcome } from "./record.ts";

export type Ec2FrontOptions = {
  readonly motoUrl: string;
  readonly identities: Identities;
  readonly putEvent: PutEvent;
  /** The AWS endpoint that workers use. */
  readonly endpoint: string;
  /** Contains a folder per instance, named by its id. */
  readonly stateFolder: string;
  /** Returns the role in an instance profile. Launch templates refer to a profile by name or ARN. */
  readonly roleOfProfile: (profileNameOrArn: string) => string;
  readonly log: LocalLog;
  readonly behaviour?: Partial<Ec2Behaviour>;
};

export type Ec2Front = {
  /** Handles a call to EC2. Never throws. */
  handle(call: HttpCall): Promise<HttpResponse>;
  /** Handles a call to the Price List API. Never throws. */
  handlePricing(call: HttpCall): Promise<HttpResponse>;
  /** Ends every worker. The instances stay in moto, and no event is sent. */
  close(): Promise<void>;
  readonly record: Ec2Record;
};

export async function createEc2Front(options: Ec2FrontOptions): Promise<Ec2Front> {
  const behaviour = { ...defaultBehaviour, ...options.behaviour };
  const { log } = options;
  const now = (): number => Date.now();
  const beganMs = now();
  const moto = connectMoto(options.motoUrl);
  const offerings = createOfferings(moto);
  const capacity = createCapacity(behaviour.capacity, () => now() - beganMs);
  const rates = createRequestRates(behaviour.requests, now);
  // Separate from the generator of boot times, so that boot times do not depend on the number of calls.
  const draw = generator(behaviour.seed + 1);
  const watchdog = createWatchdog(log);
  const lifecycle = createLifecycle({
    behaviour,
    capacity,
    events: createStateEvents(options.putEvent, log, () => between(behaviour.eventDelayMs, draw)),
    room: { ...options, moto, watchdog, behaviour },
    stateFolder: options.stateFolder,
    draw: generator(behaviour.seed),
    now,
    log,
  });
  const reclaiming = reclaim({ capacity, lifecycle, sinceMs: () => now() - beganMs });
  const maker = {
    moto,
    offerings,
    capacity,
    seed: behaviour.seed,
    log,
    now,
    begin: (instance: InstanceFacts) => lifecycle.begin(instance),
  };
  const fleetCalls: FleetCall[] = [];
  const tokens = createClientTokens();
  const fleets = fleetsOnRecord(maker, tokens, fleetCalls);
  const lost = createOrders<"error" | "cut">();
  const throttled = createOrders<true>();
  const slow = createOrders<number>();
  const protectedIds = new Set<string>();

  const carryOut = (action: string, call: HttpCall): Promise<HttpResponse> => {
    const form = formOf(call);
    refuseTooMuch(action, form);
    if (form.get("DryRun") === "true") return moto.pass(call);
    switch (action) {
      case "CreateFleet":
        return fleets(form, regionOf(call));
      case "RunInstances":
        return runInstances({ moto, lifecycle, tokens, capacity }, call, form);
      case "TerminateInstances":
        return terminateInstances({ moto, lifecycle, isProtected: (id) => protectedIds.has(id) }, call);
      case "ModifyInstanceAttribute":
        return modifyInstance({ moto, protectedIds }, call, form);
      case "DescribeInstances":
        return describeInstances(moto, lifecycle, call);
      case "DescribeSpotPriceHistory":
        return describeSpotPriceHistory({ moto, offerings, seed: behaviour.seed }, form, { region: regionOf(call), nowMs: now() });
      default:
        return moto.pass(call);
    }
  };

  return {
    async handle(call) {
      const action = formOf(call).get("Action") ?? "";
      try {
        if (throttled.take(action)) throw new Ec2Error("RequestLimitExceeded", "Request limit exceeded.", 503);
        rates.take(action);
        const response = await carryOut(action, call);
        const waitMs = slow.take(action) ?? between(behaviour.answerMs, draw);
        if (waitMs > 0) await sleep(waitMs, undefined, { ref: false });
        const how = lost.take(action);
        if (how === "error") throw new Ec2Error("InternalError", "An internal error has occurred", 500);
        return how === "cut" ? { ...response, cut: true } : response;
      } catch (error) {
        if (error instanceof Ec2Error) return errorResponse(error);
        log({ message: "EC2 call failed", action, error });
        return errorResponse(new Ec2Error("InternalError", "An internal error has occurred", 500));
      }
    },
    handlePricing: async (call) => pricingResponse(call),
    async close() {
      reclaiming.stop();
      await lifecycle.close();
      watchdog.close();
    },
    record: {
      fleetCalls,
      instances: lifecycle.instances,
      remaining: () => lifecycle.instances.filter((one) => !one.vanished && one.states.at(-1)?.state !== "terminated"),
      refuse: (matcher, code) => capacity.refuse(matcher, code),
      limitCapacity(pattern, plan) {
        const sinceMs = now() - beganMs;
        capacity.limit(pattern, typeof plan === "number" ? plan : plan.map(([atMs, count]) => [sinceMs + atMs, count] as const));
        reclaiming.look();
      },
      endInstance: (id, how = "terminate") => endFromOutside({ moto, lifecycle }, id, how),
      interrupt: (id, { noticeMs } = {}) => lifecycle.interrupt(id, noticeMs),
      recommendRebalance: (id) => lifecycle.recommendRebalance(id),
      loseNextResponse: (action, times = 1, how = "error") => lost.add(action, times, how),
      delayNextResponse: (action, ms, times = 1) => slow.add(action, times, ms),
      throttleNext: (action, times = 1) => throttled.add(action, times, true),
      limitRequests: (action, rate) => rates.set(action, rate),
      refusedRequests: rates.refused,
      pauseWorker: (id) => lifecycle.machine(id).pause(),
      resumeWorker: (id) => lifecycle.machine(id).resume(),
      crashWorker: (id) => lifecycle.machine(id).kill(true),
      killWorker: (id) => lifecycle.machine(id).kill(false),
    },
  };
}

type Tokens = ReturnType<typeof createClientTokens>;

/** Runs CreateFleet with its client tokens, and records each call when it ends. */
function fleetsOnRecord(maker: FleetMaker, tokens: Tokens, calls: FleetCall[]) {
  const outcomes = new WeakMap<HttpResponse, FleetOutcome>();
  return async (form: URLSearchParams, region: string): Promise<HttpResponse> => {
    const call = { atMs: maker.now(), clientToken: form.get("ClientToken") ?? undefined };
    let tags: Readonly<Record<string, string>> = {};
    try {
      const request = parseFleetRequest(form);
      tags = tagsFor(request, "instance");
      const { response, replayed } = await tokens.once(form, region, async () => {
        const made = await createFleet(maker, request, region);
        outcomes.set(made.response, { kind: "answered", instances: made.instances.map((one) => one.id), errors: made.errors });
        return made.response;
      });
      calls.push({ ...call, tags, replayed, outcome: outcomes.get(response) ?? { kind: "failed", code: "InternalError" } });
      return response;
    } catch (error) {
      const code = error instanceof Ec2Error ? error.code : "InternalError";
      calls.push({ ...call, tags, replayed: false, outcome: { kind: "failed", code } });
      throw error;
    }
  };
}

/** Launches instances that someone starts by hand. They live and cost like the others, but no capacity limit applies to them. */
async function runInstances(
  ec2: { moto: Moto; lifecycle: Lifecycle; tokens: Tokens; capacity: EmulatedCapacity },
  call: HttpCall,
  form: URLSearchParams,
): Promise<HttpResponse> {
  const { response } = await ec2.tokens.once(form, regionOf(call), async () => {
    const made = await ec2.moto.pass(call);
    if (made.status !== 200) return made;
    for (const instance of launchedIn(readXml(made.body.toString()), regionOf(call))) {
      ec2.capacity.hold(instance);
      ec2.lifecycle.begin(instance);
    }
    return made;
  });
  return response;
}

/** Passes the call to moto, and notes whether it changes the termination protection of the instance. */
async function modifyInstance(
  { moto, protectedIds }: { moto: Moto; protectedIds: Set<string> },
  call: HttpCall,
  form: URLSearchParams,
): Promise<HttpResponse> {
  const [id, isProtected] = [form.get("InstanceId"), form.get("DisableApiTermination.Value")];
  const response = await moto.pass(call);
  if (response.status !== 200 || id === null || isProtected === null) return response;
  if (isProtected === "true") protectedIds.add(id);
  else protectedIds.delete(id);
  return response;
}

async function endFromOutside(ec2: { moto: Moto; lifecycle: Lifecycle }, id: string, how: "terminate" | "vanish"): Promise<void> {
  const region = ec2.lifecycle.get(id)?.region ?? "us-east-1";
  await ec2.moto.call(region, { Action: "TerminateInstances", "InstanceId.1": id });
  if (how === "vanish") await ec2.lifecycle.vanish(id);
  else await ec2.lifecycle.shutDown(id, "terminated as in the console");
}
