import type { AlarmStateChange } from "../../../events/alarm.ts";
import type { InstanceEvent } from "../../../events/instance.ts";
import { cancelJob } from "../../../lib/flows/cancel-job.ts";
import { noteInstance } from "../../../lib/flows/note-instance.ts";
import type { World } from "./world.ts";

type StateChange = Extract<InstanceEvent, { "detail-type": "EC2 Instance State-change Notification" }>;

const fromEc2 = { source: "aws.ec2", time: "2026-06-01T00:05:00Z" } as const;

export const stateChange = (id: string, state: StateChange["detail"]["state"]): InstanceEvent => ({
  ...fromEc2,
  "detail-type": "EC2 Instance State-change Notification",
  detail: { "instance-id": id, state },
});
export const interruption = (id: string): InstanceEvent => ({
  ...fromEc2,
  "detail-type": "EC2 Spot Instance Interruption Warning",
  detail: { "instance-id": id, "instance-action": "terminate" },
});
export const rebalance = (id: string): InstanceEvent => ({
  ...fromEc2,
  "detail-type": "EC2 Instance Rebalance Recommendation",
  detail: { "instance-id": id },
});

type AlarmState = AlarmStateChange["detail"]["state"]["value"];

export const alarmChange = (alarmName: string, from: AlarmState | undefined, to: AlarmState): AlarmStateChange => ({
  source: "aws.cloudwatch",
  "detail-type": "CloudWatch Alarm State Change",
  time: "2026-06-01T00:05:00Z",
  detail: { alarmName, state: { value: to }, ...(from ? { previousState: { value: from } } : {}) },
});

/** What on-instance does with an event. */
export const onInstance = ({ deps }: World, event: InstanceEvent) => noteInstance(deps, event);

export const cancel = ({ deps }: World, job: string) => cancelJob(deps, { team: "vision", job }, "not wanted any more");
