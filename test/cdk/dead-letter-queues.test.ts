import { expect, test } from "vitest";
import * as z from "zod";
import fleetConfig from "../../cdk/fleet.config.ts";
import { deadQueues } from "../../lib/model/letters/dead-letter.ts";
import { Environments } from "../../lib/runtime/env.ts";
import { named, Synthesized, textOf } from "./synthesized.ts";

const stack = new Synthesized();
const queues = stack.all("AWS::SQS::Queue");
const deadOf = (name: string) => queues.find(({ properties }) => String(properties["QueueName"]).startsWith(`fleetwright-dead-${name}`));

test.each(["on-alarm", "on-instance", "tick"])(
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

const known = deadQueues(fleetConfig.teams);
const deadName = ({ name, fifo }: (typeof known)[number]): string => `fleetwright-dead-${name}${fifo ? ".fifo" : ""}`;
const nameOf = (id: string): unknown => queues.find((queue) => queue.id === id)?.properties["QueueName"];

test("the API knows every dead-letter queue that the stack creates, and no other", () => {
  const created = queues.map(({ properties }) => String(properties["QueueName"])).filter((name) => name.startsWith("fleetwright-dead-"));
  expect(known.map(deadName).toSorted()).toEqual(created.toSorted());
  for (const { reader } of known) expect(Object.keys(Environments)).toContain(reader);
});

test("letters are sent back only to a queue whose failed messages go to that dead-letter queue", () => {
  const redriven = queues.flatMap(({ properties }) => {
    const policy = z.object({ deadLetterTargetArn: z.unknown() }).safeParse(properties["RedrivePolicy"]);
    return policy.success ? [[properties["QueueName"], nameOf(named(policy.data.deadLetterTargetArn))]] : [];
  });
  for (const queue of known.filter(({ remedy }) => remedy === "redrive"))
    expect(redriven).toContainEqual([`fleetwright-${queue.name}`, deadName(queue)]);
});

test("the API may find, read and delete all dead letters, and send only to the queues to which they go back and to the lane", () => {
  const may = stack.statementsOf(named(stack.functionNamed("api").properties["Role"]));
  const of = (sid: string) => may.find(({ Sid }) => Sid === sid);
  expect(of("DeadLetters")?.Action.toSorted()).toEqual([
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
  ]);
  const dead = (of("DeadLetters")?.Resource ?? []).map((arn) => textOf(arn).split(":").at(-1));
  expect(dead.toSorted()).toEqual(known.map(deadName).toSorted());
  const sources = known.filter(({ remedy }) => remedy === "redrive").map(({ name }) => `fleetwright-${name}`);
  const namesIn = (sid: string) => (of(sid)?.Resource ?? []).map((arn) => String(nameOf(named(arn)))).toSorted();
  expect(namesIn("Send")).toEqual(["fleetwright-lane.fifo", ...sources].toSorted());
  expect(namesIn("FindSources")).toEqual(sources.toSorted());
  const others = may.filter(({ Sid }) => !["DeadLetters", "Send", "FindSources"].includes(Sid ?? "")).flatMap(({ Action }) => Action);
  expect(others.filter((action) => action.startsWith("sqs:"))).toEqual([]);
});

test("the tick may count the letters of every team's jobs, which have no alarm of their own, and may read none of them", () => {
  const may = stack.statementsOf(named(stack.functionNamed("tick").properties["Role"]));
  const about = may.filter(({ Action }) => Action.some((action) => action.startsWith("sqs:") && action !== "sqs:SendMessage"));
  expect(about.map(({ Action }) => Action.toSorted())).toEqual([["sqs:GetQueueAttributes", "sqs:GetQueueUrl"]]);
  const watched = about.flatMap(({ Resource = [] }) => Resource.map((arn) => nameOf(named(arn))));
  const alarms = stack.all("AWS::CloudWatch::Alarm").map(({ properties }) => properties["AlarmName"]);
  const withoutAlarm = known.filter(({ name }) => !alarms.includes(`fleetwright-dead-${name}`));
  expect(watched.toSorted()).toEqual(withoutAlarm.map(deadName).toSorted());
  expect(withoutAlarm.map(({ team }) => team).toSorted()).toEqual(fleetConfig.teams.toSorted());
});
