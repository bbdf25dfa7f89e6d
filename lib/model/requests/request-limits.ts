/** The kinds of requests to EC2. EC2 has a bucket for each, per account and region. */
export const requestKinds = ["launch", "terminate", "describe"] as const;
export type RequestKind = (typeof requestKinds)[number];

/** The order of requests if there is not enough for all: those that terminate, then those that replace lost capacity, then growth. */
export const requestPriorities = ["end", "replace", "grow"] as const;
export type RequestPriority = (typeof requestPriorities)[number];

/** The limits of a token bucket: `burst` at once if it is full, then `perSecond`. */
export type BucketLimits = { readonly burst: number; readonly perSecond: number };

/** The limits of one kind of request. `instances`: how many instances all requests together may name; undefined if only requests count. */
export type KindLimits = BucketLimits & { readonly instances?: BucketLimits | undefined };
export type RequestLimits = Readonly<Record<RequestKind, KindLimits>>;

/**
 * EC2's documented defaults. CreateFleet is an ordinary mutating action. TerminateInstances has its own limits, one of which counts
 * instances. DescribeInstances has two buckets; a call with neither a filter nor a page uses the smaller one.
 * (https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html)
 */
export const documentedLimits: RequestLimits = {
  launch: { burst: 50, perSecond: 5 },
  terminate: { burst: 100, perSecond: 5, instances: { burst: 1000, perSecond: 20 } },
  describe: { burst: 50, perSecond: 10 },
};
