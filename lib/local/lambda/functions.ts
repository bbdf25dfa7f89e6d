import { randomUUID } from "node:crypto";
import { FleetError } from "../../model/fleet-error.ts";
import { type FunctionFact, region } from "../provision/world.ts";
import type { Identities } from "../requests/identities.ts";
import { createEnvironment, type InvocationOutcome, type Sandbox } from "./environment.ts";

export type InvocationResult = InvocationOutcome & { readonly requestId: string; readonly durationMs: number };

export type Functions = {
  /** Runs a function once. Concurrent calls run in parallel. Throws the FleetError `no-function` for an unknown name or ARN. */
  invoke(nameOrArn: string, event: unknown): Promise<InvocationResult>;
  /** Ends every environment of a function at once. Running invocations fail as in a crash. */
  kill(nameOrArn: string): Promise<void>;
  close(): Promise<void>;
};

export type FunctionsOptions = {
  readonly facts: readonly FunctionFact[];
  readonly identities: Identities;
  readonly endpoint: string;
  log(line: FunctionLine): void;
};

/** A line of a function's log: what it printed, parsed if it is JSON, or how an invocation ended. */
export type FunctionLine = {
  readonly time: string;
  readonly function: string;
  readonly requestId?: string;
  readonly [field: string]: unknown;
};

/** The maximum number of environments per function. Each is a thread of about 40 MB. */
const concurrency = 8;
/**
 * How long a call waits for a busy environment before another one is started. Lambda never waits, but here a start takes as long
 * as this and uses a whole core.
 */
const patienceMs = 300;
/** The number of environments per function that are started without waiting. */
const fewEnvironments = 1;
/** Shorter than the six hours for which an environment's credentials are valid. */
const environmentLifetimeMs = 5 * 3_600_000;

export function createFunctions(options: FunctionsOptions): Functions {
  const pools = new Map(options.facts.map((fact) => [fact.name, createPool(fact, options)]));
  const poolOf = (nameOrArn: string): Pool => {
    const pool = pools.get(nameOrArn.split(":").at(-1) ?? "");
    if (!pool) throw new FleetError("no-function", `There is no function ${nameOrArn}; the functions are: ${[...pools.keys()].join(", ")}`);
    return pool;
  };
  return {
    invoke: async (nameOrArn, event) => poolOf(nameOrArn).invoke(event),
    kill: async (nameOrArn) => poolOf(nameOrArn).endAll(),
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}

type Pool = { invoke(event: unknown): Promise<InvocationResult>; endAll(): Promise<void>; close(): Promise<void> };

function createPool(fact: FunctionFact, options: FunctionsOptions): Pool {
  const environments = new Set<Sandbox>();
  const idle: Sandbox[] = [];
  const waiting: (() => void)[] = [];
  const limit = Math.min(fact.maximumConcurrency ?? concurrency, concurrency);
  let closed = false;

  const start = (): Sandbox => {
    const environment = createEnvironment({
      fact,
      variables: variablesOf(fact, options),
      onLine: (line) => options.log(lineOf(fact, line)),
    });
    environments.add(environment);
    return environment;
  };
  const takeIdle = (): Sandbox | undefined => {
    for (let warm = idle.pop(); warm; warm = idle.pop()) {
      if (isFresh(warm)) return warm;
      environments.delete(warm);
      void warm.end();
    }
    return undefined;
  };
  /** Resolves when an environment becomes idle, or after `ms` at the latest. */
  const aTurn = (ms: number | undefined): Promise<void> =>
    new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => leave(), ms);
      const leave = (): void => {
        clearTimeout(timer);
        if (waiting.includes(leave)) waiting.splice(waiting.indexOf(leave), 1);
        resolve();
      };
      waiting.push(leave);
    });
  const mayStart = (patience: number): boolean => environments.size < limit && (patience === 0 || environments.size < fewEnvironments);
  const take = async (): Promise<Sandbox> => {
    for (let patience = patienceMs; ; patience = 0) {
      if (closed) throw new FleetError("closed", `${fact.name} was called after the local cloud was closed`);
      const warm = takeIdle();
      if (warm) return warm;
      if (mayStart(patience)) return start();
      await aTurn(environments.size < limit ? patience : undefined);
    }
  };
  const giveBack = (environment: Sandbox): void => {
    if (environment.alive()) idle.push(environment);
    else environments.delete(environment);
    waiting.shift()?.();
  };
  const endAll = async (): Promise<void> => {
    await Promise.all([...environments].map((environment) => environment.end()));
  };
  return {
    invoke: async (event) => {
      const requestId = randomUUID();
      const environment = await take();
      const startedAt = performance.now();
      try {
        const outcome = await environment.invoke({ event, requestId });
        const durationMs = performance.now() - startedAt;
        options.log({ ...reportOf(fact, outcome), requestId, durationMs: Math.round(durationMs) });
        return { ...outcome, requestId, durationMs };
      } finally {
        giveBack(environment);
      }
    },
    endAll,
    close: async () => {
      closed = true;
      for (const wake of waiting.splice(0)) wake();
      await endAll();
    },
  };
}

const isFresh = (environment: Sandbox): boolean => environment.alive() && Date.now() - environment.startedAtMs < environmentLifetimeMs;

function variablesOf(fact: FunctionFact, { identities, endpoint }: FunctionsOptions): Record<string, string> {
  const credentials = identities.issue({ role: fact.role, session: fact.name });
  return {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ENDPOINT_URL: endpoint,
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_LAMBDA_FUNCTION_NAME: fact.name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fact.memoryMiB),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${fact.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `local/[$LATEST]${randomUUID().replaceAll("-", "")}`,
    LAMBDA_TASK_ROOT: fact.folder,
    TZ: ":UTC",
    _HANDLER: fact.handler,
    ...fact.variables,
  };
}

const stamp = (fact: FunctionFact) => ({ time: new Date().toISOString(), function: fact.name });

function lineOf(fact: FunctionFact, line: string): FunctionLine {
  if (!line.startsWith("{")) return { ...stamp(fact), message: line };
  try {
    return { ...stamp(fact), printed: JSON.parse(line) };
  } catch {
    return { ...stamp(fact), message: line };
  }
}

const reportOf = (fact: FunctionFact, outcome: InvocationOutcome): FunctionLine =>
  outcome.kind === "failed" ? { ...stamp(fact), failed: outcome.error } : { ...stamp(fact), returned: true };
