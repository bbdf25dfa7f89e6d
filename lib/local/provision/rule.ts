import { PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateQueueCommand } from "@aws-sdk/client-sqs";
import * as z from "zod";
import { FleetError } from "../../model/fleet-error.ts";
import { kind } from "./kind.ts";
import { arn, nameOf, type ProvisionContext } from "./world.ts";

const Target = z.strictObject({
  Arn: z.string(),
  Id: z.string(),
  Input: z.string().optional(),
  InputPath: z.string().optional(),
  InputTransformer: z.strictObject({ InputPathsMap: z.record(z.string(), z.string()).optional(), InputTemplate: z.string() }).optional(),
  SqsParameters: z.strictObject({ MessageGroupId: z.string() }).optional(),
  // Delivery on one machine does not fail. Whether the rule may send there is checked.
  DeadLetterConfig: z.looseObject({ Arn: z.string() }).optional(),
  RetryPolicy: z.unknown().optional(),
});
type Target = z.infer<typeof Target>;

/** The longest time that the function of a rule may take before the relay queue delivers the event again, s. */
const relayVisibility = "1000";

/** A rule with a pattern. The emulator delivers to SQS targets. For a Lambda target, the rule sends to a relay queue of the local cloud. */
export const rule = kind({
  type: "AWS::Events::Rule",
  properties: z.strictObject({
    Name: z.string().optional(),
    EventBusName: z.string().optional(),
    EventPattern: z.record(z.string(), z.unknown()),
    State: z.enum(["ENABLED", "DISABLED"]).default("ENABLED"),
    Targets: z.array(Target).default([]),
  }),
  harmless: ["Description"],
  create: async (properties, place, world) => {
    const name = properties.Name ?? place.name.slice(0, 64);
    const bus = properties.EventBusName;
    const ruleArn = arn("events", `rule/${bus === undefined ? "" : `${nameOf(bus)}/`}${name}`);
    await world.clients.events.send(
      new PutRuleCommand({ Name: name, EventBusName: bus, EventPattern: JSON.stringify(properties.EventPattern), State: properties.State }),
    );
    const targets = await Promise.all(properties.Targets.map((target) => deliverable(target, { name, arn: ruleArn }, world)));
    if (targets.length > 0) {
      const put = await world.clients.events.send(new PutTargetsCommand({ Rule: name, EventBusName: bus, Targets: targets }));
      if ((put.FailedEntryCount ?? 0) > 0) throw new FleetError("template", `The emulator refused the targets of ${place.id}`);
    }
    return { ref: name, attributes: { Arn: ruleArn } };
  },
});

type Deliverable = Omit<Target, "DeadLetterConfig" | "RetryPolicy">;

async function deliverable(target: Target, rule: { name: string; arn: string }, world: ProvisionContext): Promise<Deliverable> {
  const { DeadLetterConfig: letters, RetryPolicy: _retries, ...rest } = target;
  if (letters) world.blueprint.deadLetters.push({ ruleArn: rule.arn, queueArn: letters.Arn });
  const service = target.Arn.split(":")[2];
  if (service === "sqs") {
    world.blueprint.queueTargets.push({ ruleArn: rule.arn, queueArn: target.Arn });
    return rest;
  }
  if (service !== "lambda")
    throw new FleetError("template", `The rule ${rule.name} has a target that the local cloud does not support: ${target.Arn}`);
  const QueueName = `relay-${rule.name}-${target.Id}`.slice(0, 80);
  const made = await world.clients.sqs.send(new CreateQueueCommand({ QueueName, Attributes: { VisibilityTimeout: relayVisibility } }));
  const relay = { relayUrl: made.QueueUrl ?? "", relayArn: arn("sqs", QueueName) };
  world.blueprint.ruleTargets.push({ ruleArn: rule.arn, functionArn: target.Arn, ...relay });
  return { ...rest, Arn: relay.relayArn };
}
