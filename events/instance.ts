import * as z from "zod";

const fromEc2 = { source: z.literal("aws.ec2"), time: z.iso.datetime() };
const instance = { "instance-id": z.string().regex(/^i-[0-9a-f]{8,17}$/) };

/** EC2 Instance State-change Notification, as EventBridge delivers it. */
const InstanceStateChange = z.object({
  ...fromEc2,
  "detail-type": z.literal("EC2 Instance State-change Notification"),
  detail: z.object({ ...instance, state: z.enum(["pending", "running", "stopping", "stopped", "shutting-down", "terminated"]) }),
});

/** EC2 takes a spot instance back two minutes after `time`. */
const SpotInterruptionWarning = z.object({
  ...fromEc2,
  "detail-type": z.literal("EC2 Spot Instance Interruption Warning"),
  detail: z.object({ ...instance, "instance-action": z.enum(["terminate", "stop", "hibernate"]) }),
});

/** A spot instance is at elevated risk of interruption. */
const RebalanceRecommendation = z.object({
  ...fromEc2,
  "detail-type": z.literal("EC2 Instance Rebalance Recommendation"),
  detail: z.object(instance),
});

/** An event of EC2 about any instance, which need not belong to the deployment. */
export const InstanceEvent = z.discriminatedUnion("detail-type", [InstanceStateChange, SpotInterruptionWarning, RebalanceRecommendation]);
export type InstanceEvent = z.infer<typeof InstanceEvent>;

/** Returns the time of EC2's event, ms since the epoch. */
export const eventAtMs = ({ time }: InstanceEvent): number => Date.parse(time);
