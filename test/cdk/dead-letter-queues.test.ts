import { expect, test } from "vitest";
import * as z from "zod";
import { named, Synthesized } from "./synthesized.ts";

const stack = new Synthesized();
const queues = stack.all("AWS::SQS::Queue");
const deadOf = (name: string) => queues.find(({ properties }) => String(properties["QueueName"]).startsWith(`fleetwright-dead-${name}`));

test.each(["api", "node", "on-alarm", "on-instance", "tick"])(
  "the dead-letter queue of the function %s is no FIFO queue, because Lambda and EventBridge send to none",
  (name) => {
    expect(deadOf(name)?.properties).toMatchObject({ QueueName: `fleetwright-dead-${name}` });
    expect(deadOf(name)?.properties).not.toHaveProperty("FifoQueue");
  },
);

test("every queue to which Lambda or a rule sends failed events is no FIFO queue", () => {
  const OfFunction = z.object({ DeadLetterConfig: z.object({ TargetArn: z.unknown() }).optional() });
  const OfRule = z.object({ Targets: z.array(z.object({ DeadLetterConfig: z.object({ Arn: z.unknown() }).optional() })).optional() });
  const functions = stack.all("AWS::Lambda::Function").map(({ properties }) => OfFunction.parse(properties).DeadLetterConfig?.TargetArn);
  const rules = stack
    .all("AWS::Events::Rule")
    .flatMap(({ properties }) => (OfRule.parse(properties).Targets ?? []).map((target) => target.DeadLetterConfig?.Arn));
  const arns = [...functions, ...rules].filter((arn) => arn !== undefined);
  expect(arns.length).toBeGreaterThan(3);
  for (const arn of arns) expect(queues.find(({ id }) => id === named(arn))?.properties).not.toHaveProperty("FifoQueue");
});
