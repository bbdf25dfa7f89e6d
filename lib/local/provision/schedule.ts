import * as z from "zod";
import { Fault } from "../../model/fault.ts";
import { kind } from "./kind.ts";
import { arn, nameOf } from "./world.ts";

/** A schedule runs on a timer of this process. */
export const schedule = kind({
  type: "AWS::Scheduler::Schedule",
  properties: z.strictObject({
    Name: z.string().optional(),
    ScheduleExpression: z.string(),
    FlexibleTimeWindow: z.strictObject({ Mode: z.literal("OFF") }),
    State: z.enum(["ENABLED", "DISABLED"]).default("ENABLED"),
    Target: z.strictObject({
      Arn: z.string(),
      RoleArn: z.string(),
      Input: z.string().default("{}"),
      DeadLetterConfig: z.unknown().optional(),
      RetryPolicy: z.unknown().optional(),
    }),
  }),
  harmless: ["Description", "ScheduleExpressionTimezone"],
  create: async ({ Name, ScheduleExpression, State, Target }, place, { blueprint }) => {
    const name = Name ?? place.name;
    if (Target.Arn.split(":")[2] !== "lambda")
      throw new Fault("template", `The schedule ${place.id} has a target that the local cloud does not know: ${Target.Arn}`);
    if (State === "ENABLED")
      blueprint.schedules.push({
        name,
        expression: ScheduleExpression,
        functionArn: Target.Arn,
        role: nameOf(Target.RoleArn),
        input: Target.Input,
      });
    return { ref: name, attributes: { Arn: arn("scheduler", `schedule/default/${name}`) } };
  },
});
