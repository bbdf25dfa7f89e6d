/**
 * Calls that make things happen in a running local cloud and that AWS does not offer. They are for any program on this machine.
 * Bodies are JSON, with `content-type: application/json`. The endpoint refuses calls of web pages (requests/caller.ts).
 *
 *     POST /_local/interrupt {"instance": "i-…", "noticeMs": 5000}   EC2 takes a spot instance back → {"instance", "endsAt"}
 *     POST /_local/rebalance {"instance": "i-…"}                     EC2 warns that it may do so     → {"instance"}
 *
 * The controls of EC2's capacity and errors are in ec2-controls.ts.
 *
 * Errors have a {"message"}. 400: the body is not valid; 404: there is no such instance or path; 409: the instance is on-demand or
 * has ended.
 */
import * as z from "zod";
import { inWords } from "../model/errors/in-words.ts";
import { FleetError } from "../model/fleet-error.ts";
import type { Ec2Record } from "./ec2/record.ts";
import { type Ec2Controlled, ec2Controls } from "./ec2-controls.ts";
import type { HttpCall, HttpResponse } from "./requests/http.ts";

const Interrupt = z.strictObject({ instance: z.string(), noticeMs: z.int().min(0).max(3_600_000).optional() });
const Rebalance = z.strictObject({ instance: z.string() });

type Control = (body: unknown) => object;

type Controlled = Pick<Ec2Record, "interrupt" | "recommendRebalance" | "remaining"> & Ec2Controlled;

export function createControls(ec2: Controlled): (call: HttpCall) => HttpResponse {
  const controls: ReadonlyMap<string, Control> = new Map<string, Control>([
    [
      "/_local/interrupt",
      (body) => {
        const { instance, noticeMs } = Interrupt.parse(body);
        return { instance, endsAt: new Date(ec2.interrupt(instance, noticeMs === undefined ? {} : { noticeMs })).toISOString() };
      },
    ],
    [
      "/_local/rebalance",
      (body) => {
        const { instance } = Rebalance.parse(body);
        ec2.recommendRebalance(instance);
        return { instance };
      },
    ],
    ...ec2Controls(ec2),
  ]);
  const instances = (): string =>
    ec2
      .remaining()
      .map((one) => `${one.id} (${one.market})`)
      .join(", ") || "none";

  return (call) => {
    const control = controls.get(call.path);
    if (!control) return withMessage(404, `There is no ${call.path}; the controls are: ${[...controls.keys()].join(", ")}`);
    if (call.method !== "POST") return withMessage(405, `${call.path} accepts only POST`);
    if (!call.headers["content-type"]?.startsWith("application/json")) return withMessage(415, "The content-type must be application/json");
    try {
      return json(200, control(JSON.parse(call.body.toString("utf8"))));
    } catch (error) {
      return refusal(error, instances);
    }
  };
}

function refusal(error: unknown, instances: () => string): HttpResponse {
  if (error instanceof z.ZodError) return withMessage(400, z.prettifyError(error));
  if (error instanceof SyntaxError) return withMessage(400, "The body is not JSON");
  if (!(error instanceof FleetError)) throw error;
  return error.code === "no-instance"
    ? withMessage(404, `${inWords(error)}; the instances are: ${instances()}`)
    : withMessage(409, inWords(error));
}

const json = (status: number, body: object): HttpResponse => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const withMessage = (status: number, message: string): HttpResponse => json(status, { message });
