import * as z from "zod";

/** EC2 Instance State-change Notification, as EventBridge delivers it. */
export const InstanceStateChange = z.object({
  source: z.literal("aws.ec2"),
  "detail-type": z.literal("EC2 Instance State-change Notification"),
  time: z.iso.datetime(),
  detail: z.object({
    "instance-id": z.string().regex(/^i-[0-9a-f]{8,17}$/),
    state: z.enum(["pending", "running", "stopping", "stopped", "shutting-down", "terminated"]),
  }),
});
export type InstanceStateChange = z.infer<typeof InstanceStateChange>;
