/** What EC2 is asked for. Each has a bucket of its own there, for the whole account and region. */
export const requestKinds = ["launch", "terminate", "describe"] as const;
export type RequestKind = (typeof requestKinds)[number];

/** Who goes first when there is too little for all: what ends, then what replaces lost capacity, then what grows. */
export const requestLanes = ["end", "replace", "grow"] as const;
export type RequestLane = (typeof requestLanes)[number];

/** A token bucket: `burst` at once when it is full, `perSecond` after that. */
export type BucketLimits = { readonly burst: number; readonly perSecond: number };

/** Of one kind of request. `instances`: as many may be named or asked for in all; absent where only requests count. */
export type KindLimits = BucketLimits & { readonly instances?: BucketLimits | undefined };
export type RequestLimits = Readonly<Record<RequestKind, KindLimits>>;

/**
 * EC2's documented defaults: CreateFleet is an ordinary mutating action; TerminateInstances has limits of its own,
 * of which one counts instances; DescribeInstances with neither filter nor page has the smaller bucket of its two.
 * (https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html)
 */
export const documentedLimits: RequestLimits = {
  launch: { burst: 50, perSecond: 5 },
  terminate: { burst: 100, perSecond: 5, instances: { burst: 1000, perSecond: 20 } },
  describe: { burst: 50, perSecond: 10 },
};
