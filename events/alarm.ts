import * as z from "zod";

/** CloudWatch Alarm State Change, as EventBridge delivers it. */
export const AlarmStateChange = z.object({
  source: z.literal("aws.cloudwatch"),
  "detail-type": z.literal("CloudWatch Alarm State Change"),
  time: z.iso.datetime(),
  detail: z.object({
    alarmName: z.string().min(1).max(255),
    state: z.object({ value: z.enum(["OK", "ALARM", "INSUFFICIENT_DATA"]), reason: z.string().optional() }),
    previousState: z.object({ value: z.enum(["OK", "ALARM", "INSUFFICIENT_DATA"]) }).optional(),
  }),
});
export type AlarmStateChange = z.infer<typeof AlarmStateChange>;
