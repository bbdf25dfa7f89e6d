/**
 * Controls of the local cloud's EC2, in addition to those in controls.ts. They cause, on request, what happens on AWS at any time.
 *
 *     POST /_local/ec2/refuse   {"offer": {"instanceType": "g5.xlarge"}, "code": "InsufficientInstanceCapacity", "forMs": 60000}
 *     POST /_local/ec2/capacity {"offers": "g5.xlarge/<any zone>/spot", "count": 2}, or "script": [[0, 2], [5000, 0]]; `*` matches any
 *     POST /_local/ec2/requests {"action": "CreateFleet", "burst": 5, "perSecond": 2}, or {"action": "CreateFleet"} for no limit
 *     POST /_local/ec2/throttle {"action": "CreateFleet", "times": 3}                the next calls are throttled
 *     POST /_local/ec2/lose     {"action": "CreateFleet", "times": 1, "how": "cut"}  the next calls happen, but their responses are lost
 *     POST /_local/ec2/delay    {"action": "CreateFleet", "times": 1, "ms": 5000}    the next calls happen, but their responses are late
 *
 * Each returns the request that it carried out. 400: the body is not valid.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { CapacityScript, OfferPattern, RequestRate } from "./ec2/behaviour/behaviour-file.ts";
import type { Ec2Record } from "./ec2/record.ts";

const longestMs = 24 * 3_600_000;
const action = z.string().regex(/^[A-Z][A-Za-z]+$/, 'must be an action of EC2\'s, such as "CreateFleet"');
const times = z.int().min(1).max(10_000).default(1);

const Refuse = z.strictObject({
  offer: z.strictObject({
    instanceType: z.string().optional(),
    zone: z.string().optional(),
    market: z.enum(["spot", "on-demand"]).optional(),
  }),
  code: z.string().min(1).default("InsufficientInstanceCapacity"),
  forMs: z.int().min(0).max(longestMs),
});
const Capacity = z.union([
  z.strictObject({ offers: OfferPattern, count: z.int().min(0) }),
  z.strictObject({ offers: OfferPattern, script: CapacityScript }),
]);
const Requests = z.union([
  z.strictObject({ action: z.union([action, z.literal("*")]), ...RequestRate.shape }),
  z.strictObject({ action: z.union([action, z.literal("*")]) }),
]);
const Throttle = z.strictObject({ action, times });
const Lose = z.strictObject({ action, times, how: z.enum(["error", "cut"]).default("error") });
const Delay = z.strictObject({ action, times, ms: z.int().min(0).max(longestMs) });

export type Ec2Controlled = Pick<
  Ec2Record,
  "refuse" | "limitCapacity" | "limitRequests" | "throttleNext" | "loseNextResponse" | "delayNextResponse"
>;

export const ec2Controls = (ec2: Ec2Controlled): readonly (readonly [path: string, control: (body: unknown) => object])[] => [
  [
    "/_local/ec2/refuse",
    (body) => {
      const request = Refuse.parse(body);
      const { instanceType, zone, market } = request.offer;
      const matcher = { ...(instanceType && { instanceType }), ...(zone && { zone }), ...(market && { market }) };
      const lift = ec2.refuse(matcher, request.code);
      void sleep(request.forMs, undefined, { ref: false }).then(lift);
      return request;
    },
  ],
  [
    "/_local/ec2/capacity",
    (body) => {
      const request = Capacity.parse(body);
      ec2.limitCapacity(request.offers, "count" in request ? request.count : request.script);
      return request;
    },
  ],
  [
    "/_local/ec2/requests",
    (body) => {
      const request = Requests.parse(body);
      ec2.limitRequests(request.action, "burst" in request ? { burst: request.burst, perSecond: request.perSecond } : undefined);
      return request;
    },
  ],
  [
    "/_local/ec2/throttle",
    (body) => {
      const request = Throttle.parse(body);
      ec2.throttleNext(request.action, request.times);
      return request;
    },
  ],
  [
    "/_local/ec2/lose",
    (body) => {
      const request = Lose.parse(body);
      ec2.loseNextResponse(request.action, request.times, request.how);
      return request;
    },
  ],
  [
    "/_local/ec2/delay",
    (body) => {
      const request = Delay.parse(body);
      ec2.delayNextResponse(request.action, request.ms, request.times);
      return request;
    },
  ],
];
