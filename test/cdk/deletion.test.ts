import { describe, expect, test } from "vitest";
import { dependencies } from "../../lib/local/template/order.ts";
import { Template } from "../../lib/local/template/template.ts";
import { Synthesized } from "./synthesized.ts";

const stack = new Synthesized();
const template = Template.parse(stack.template.toJSON());
const needs = dependencies(template);
const ids = (...types: readonly string[]): string[] =>
  Object.entries(template.Resources).flatMap(([id, { Type }]) => (types.includes(Type) ? [id] : []));
const [instances = ""] = ids("Custom::FleetwrightInstances");

/** Returns all resources that a resource depends on, directly or not. They are created before it and deleted after it. */
function allNeeds(id: string, known = new Set<string>()): Set<string> {
  for (const need of needs.get(id) ?? [])
    if (!known.has(need)) {
      known.add(need);
      allNeeds(need, known);
    }
  return known;
}

describe("the deletion of the stack", () => {
  test("everything that brings work in is deleted before the instances end, so that nothing new is launched", () => {
    const launchers = ids("AWS::Lambda::EventSourceMapping", "AWS::Scheduler::Schedule");
    expect(launchers.length).toBeGreaterThan(5);
    for (const id of launchers) expect([...allNeeds(id)], id).toContain(instances);
  });

  test("what instances depend on and what terminates them exist until the instances have ended", () => {
    const until = allNeeds(instances);
    const types = [
      "AWS::EC2::Subnet",
      "AWS::EC2::SecurityGroup",
      "AWS::EC2::LaunchTemplate",
      "AWS::IAM::InstanceProfile",
      "AWS::DynamoDB::Table",
    ];
    for (const type of types) {
      expect(ids(type).length, type).toBeGreaterThan(0);
      for (const id of ids(type)) expect([...until], `${type} ${id}`).toContain(id);
    }
    const end = stack.functionNamed("end-fleet").id;
    expect([...until]).toContain(end);
    const policies = ids("AWS::IAM::Policy").filter((id) => id.startsWith("EndFleet"));
    expect(policies).toHaveLength(1);
    for (const id of policies) expect([...until]).toContain(id);
  });

  test("end-fleet may describe instances and terminate those of its fleet, and nothing else", () => {
    const { properties } = stack.functionNamed("end-fleet");
    const role = JSON.stringify(properties["Role"]);
    const [logicalId = ""] = ids("AWS::IAM::Role").filter((id) => role.includes(id));
    const may = stack.statementsOf(logicalId).flatMap(({ Action }) => Action);
    expect(may.toSorted()).toEqual(["ec2:DescribeInstances", "ec2:TerminateInstances", "logs:CreateLogStream", "logs:PutLogEvents"]);
  });
});
