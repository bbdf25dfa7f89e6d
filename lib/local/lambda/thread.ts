/**
 * Runs in a worker thread, as Lambda's runtime does in its sandbox: loads a bundle once, then handles one event after the other
 * until the thread is terminated.
 */
import { existsSync } from "node:fs";
import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { functionError } from "./function-error.ts";
import type { FromThread, ThreadData, ToThread } from "./thread-messages.ts";

type Handler = (event: unknown, context: object) => unknown;

const data: ThreadData = workerData;
const say = (message: FromThread): void => parentPort?.postMessage(message);

async function load(): Promise<Handler> {
  const [file = "", name = ""] = data.handler.split(/\.(?=[^.]*$)/);
  const path = [".mjs", ".js", ".cjs"].map((ending) => join(data.folder, `${file}${ending}`)).find((each) => existsSync(each));
  if (path === undefined) throw Object.assign(new Error(`Cannot find module '${file}'`), { name: "Runtime.ImportModuleError" });
  const module: Record<string, unknown> = await import(pathToFileURL(path).href);
  const handler = module[name];
  if (typeof handler !== "function")
    throw Object.assign(new Error(`${data.handler} is undefined or not exported`), { name: "Runtime.HandlerNotFound" });
  return (event, context) => Reflect.apply(handler, undefined, [event, context]);
}

function contextOf(message: ToThread): object {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: data.functionName,
    functionVersion: "$LATEST",
    invokedFunctionArn: data.functionArn,
    memoryLimitInMB: String(data.memoryMiB),
    awsRequestId: message.requestId,
    logGroupName: `/aws/lambda/${data.functionName}`,
    logStreamName: process.env["AWS_LAMBDA_LOG_STREAM_NAME"],
    getRemainingTimeInMillis: () => Math.max(0, message.deadlineMs - Date.now()),
  };
}

async function invoke(handler: Handler, message: ToThread): Promise<void> {
  const { requestId } = message;
  try {
    const result = await handler(JSON.parse(message.event), contextOf(message));
    say({ kind: "returned", requestId, payload: JSON.stringify(result) ?? "null" });
  } catch (error) {
    say({ kind: "failed", requestId, error: functionError(error) });
  }
}

// The function's next environment reuses the compiled code. It is written at once, because threads are terminated from outside.
enableCompileCache();
try {
  const handler = await load();
  flushCompileCache();
  parentPort?.on("message", (message: ToThread) => void invoke(handler, message));
  say({ kind: "ready" });
} catch (error) {
  say({ kind: "broken", error: functionError(error) });
}
