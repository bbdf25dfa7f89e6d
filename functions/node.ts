import * as z from "zod";
import { NodeCall } from "../events/node-call.ts";
import { handleNodeCall } from "../lib/flows/handle-node-call.ts";
import { attemptName } from "../lib/model/job.ts";
import { jsonResponse, readCall, type UrlResponse } from "../lib/runtime/function-url.ts";
import { loggingErrors, logTo } from "../lib/runtime/logger.ts";
import { measuring } from "../lib/runtime/objective-metrics.ts";
import { start } from "../lib/runtime/start.ts";
import { nodeWiring } from "../lib/runtime/wire/node.ts";

const { env, fleet, logger } = start("node");
const deps = { ...nodeWiring({ env, fleet, log: logTo(logger) }), measured: measuring({ fleet, logger }) };
const InstanceId = z.string().regex(/^i-[0-9a-f]{8,17}$/);

/** Handles workers' calls. Only an instance may call, and only for itself, and the tick, which only sees whether calls are handled. */
export const handler = loggingErrors(logger, async (event: unknown): Promise<UrlResponse> => {
  const caller = readCall(event);
  const instance = InstanceId.safeParse(caller.session);
  const isCanary = caller.role === env.CANARY_ROLE;
  if (!isCanary && (caller.role !== env.INSTANCE_ROLE || !instance.success))
    return jsonResponse(403, { title: "Only an instance of this fleet, with its own role, may call this function." });
  const call = NodeCall.safeParse(caller.body);
  if (!call.success) return jsonResponse(400, { title: "The call does not match the protocol.", detail: z.prettifyError(call.error) });
  if (isCanary && call.data.kind !== "canary") return jsonResponse(403, { title: "This role may only make canary calls." });
  // A canary call is about no instance.
  const node = instance.data ?? "";
  const reply = await handleNodeCall(deps, node, call.data);
  if (call.data.kind === "report" && (call.data.attempts.length > 0 || reply.kind !== "orders" || reply.orders.length > 0)) {
    const attempts = call.data.attempts.map((report) => `${attemptName(report)} ${report.phase}`);
    const orders = reply.kind === "orders" ? reply.orders.map((order) => `${order.kind} ${attemptName(order)}`) : [];
    logger.info("node called", { node, pool: call.data.pool, attempts, reply: reply.kind, orders });
  }
  return jsonResponse(200, reply);
});
