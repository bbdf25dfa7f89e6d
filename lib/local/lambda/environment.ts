import { join } from "node:path";
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";
import { FleetError } from "../../model/fleet-error.ts";
import type { FunctionFact } from "../provision/world.ts";
import { functionError } from "./function-error.ts";
import type { FromThread, FunctionError, ThreadData, ToThread } from "./thread-messages.ts";

/** How an invocation ended, as its caller sees it. */
export type InvocationOutcome =
  | { readonly kind: "returned"; readonly payload: unknown }
  | { readonly kind: "failed"; readonly error: FunctionError };

/** A sandbox of a function: a thread that handles one event at a time. */
export type Sandbox = {
  readonly startedAtMs: number;
  /** Returns false when its thread has ended and it accepts no more events. */
  alive(): boolean;
  invoke(call: { event: unknown; requestId: string }): Promise<InvocationOutcome>;
  /** Ends the thread at once. An invocation that is running fails. */
  end(): Promise<void>;
};

export type EnvironmentOptions = {
  readonly fact: FunctionFact;
  readonly variables: Readonly<Record<string, string>>;
  /** Called with each line that the function prints. */
  onLine(line: string): void;
};

/** Longer than Lambda's 10 s, because loading a bundle may be slow while the whole local cloud starts. */
const loadTimeoutMs = 30_000;

/** Starts a thread that loads the bundle. If that fails, the first invocation fails with the error. */
export function createEnvironment({ fact, variables, onLine }: EnvironmentOptions): Sandbox {
  const workerData: ThreadData = {
    folder: fact.folder,
    handler: fact.handler,
    functionName: fact.name,
    functionArn: fact.arn,
    memoryMiB: fact.memoryMiB,
  };
  const worker = new Worker(join(import.meta.dirname, "thread.ts"), {
    workerData,
    env: { ...variables },
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: fact.memoryMiB },
  });
  for (const stream of [worker.stdout, worker.stderr]) createInterface({ input: stream }).on("line", onLine);

  let alive = true;
  let listener: (message: FromThread) => void = () => undefined;
  let died: (error: FunctionError) => void = () => undefined;
  worker.on("message", (message: FromThread) => listener(message));
  worker.on("error", (error: unknown) => {
    alive = false;
    died({ ...functionError(error), errorType: "Runtime.UncaughtException" });
  });
  worker.on("exit", (code) => {
    alive = false;
    died({ errorType: "Runtime.ExitError", errorMessage: `Runtime exited with error: exit status ${code}` });
  });

  /** Waits for the thread's next message for which `pick` returns an outcome, for the thread's end, or for the timeout. */
  const next = (
    within: { ms: number; late: FunctionError },
    pick: (message: FromThread) => InvocationOutcome | undefined,
  ): Promise<InvocationOutcome> =>
    new Promise((resolve) => {
      const settle = (outcome: InvocationOutcome): void => {
        clearTimeout(timer);
        resolve(outcome);
      };
      const timer = setTimeout(() => {
        alive = false;
        settle({ kind: "failed", error: within.late });
        void worker.terminate();
      }, within.ms);
      died = (error) => settle({ kind: "failed", error });
      listener = (message) => {
        const outcome = pick(message);
        if (outcome) settle(outcome);
      };
    });

  const lateInit = { errorType: "Sandbox.Timedout", errorMessage: `Init timed out after ${loadTimeoutMs / 1000} seconds` };
  const loaded = next({ ms: loadTimeoutMs, late: lateInit }, (message) => {
    if (message.kind === "ready") return { kind: "returned", payload: null };
    return message.kind === "broken" ? { kind: "failed", error: message.error } : undefined;
  });

  return {
    startedAtMs: Date.now(),
    alive: () => alive,
    invoke: async ({ event, requestId }) => {
      const start = await loaded;
      if (start.kind === "failed") {
        alive = false;
        void worker.terminate();
        return start;
      }
      if (!alive) throw new FleetError("environment-ended", `The environment of ${fact.name} has ended`, { retry: true });
      const seconds = (fact.timeoutMs / 1000).toFixed(2);
      const late = {
        errorType: "Sandbox.Timedout",
        errorMessage: `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`,
      };
      const outcome = next({ ms: fact.timeoutMs, late }, (message) => resultOf(message, requestId));
      const call: ToThread = { kind: "invoke", requestId, event: JSON.stringify(event) ?? "null", deadlineMs: Date.now() + fact.timeoutMs };
      worker.postMessage(call);
      return outcome;
    },
    end: async () => {
      alive = false;
      await worker.terminate();
    },
  };
}

function resultOf(message: FromThread, requestId: string): InvocationOutcome | undefined {
  if (message.kind === "returned" && message.requestId === requestId) return { kind: "returned", payload: JSON.parse(message.payload) };
  return message.kind === "failed" && message.requestId === requestId ? { kind: "failed", error: message.error } : undefined;
}
