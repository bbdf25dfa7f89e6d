import { describe, expect, test } from "vitest";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { Environments, environment, type FunctionName } from "../../../lib/runtime/env.ts";

const names = Object.keys(Environments) as FunctionName[];
const whole: Readonly<Record<string, string>> = {
  TABLE: "fleet",
  LANE_QUEUE_URL: "https://sqs.us-east-1.amazonaws.com/1/lane.fifo",
  LATER_QUEUE_URL: "https://sqs.us-east-1.amazonaws.com/1/later",
  SHARDS_QUEUE_URL: "https://sqs.us-east-1.amazonaws.com/1/shards",
  DATASETS_BUCKET: "datasets",
  SEAL_QUEUE_URL: "https://sqs.us-east-1.amazonaws.com/1/seal",
  OUTBOXES_QUEUE_URL: "https://sqs.us-east-1.amazonaws.com/1/outboxes",
  NODE_URL: "https://node.lambda-url.us-east-1.on.aws/",
  CANARY_ROLE: "tick",
  JOBS_QUEUE_PREFIX: "fleetwright-jobs-",
  SUBNETS: '[{"zone":"us-east-1a","subnet":"subnet-1"}]',
  KEY_ALIAS_PREFIX: "alias/fleetwright-",
  DECISIONS_BUCKET: "decisions",
  INCOMING_BUCKET: "incoming",
  ARTIFACTS_BUCKET: "artifacts",
  LAUNCH_TEMPLATES: '{"gpu":"lt-1"}',
  JOB_ROLE_ARN: "arn:aws:iam::1:role/job",
  INSTANCE_ROLE: "fleetwright-instance",
  NODES_ROLE_ID: "AROAINSTANCEROLE",
  LOG_GROUP_PREFIX: "/fleetwright/",
  WORKER_ASSET: "assets/worker.mjs",
  NODE_ASSET: "assets/node/node.tar.gz",
};
const fault = (name: FunctionName, variables: Record<string, string | undefined>): string => {
  try {
    environment(name, variables);
  } catch (error) {
    if (error instanceof FleetError) return error.message;
    throw error;
  }
  return "";
};

test.each(names)("the environment of %s is read if it is complete", (name) => {
  expect(Object.keys(environment(name, whole)).sort()).toEqual(Object.keys(Environments[name].shape).sort());
});

const needy = names.filter((name) => Object.keys(Environments[name].shape).length > 0);

test.each(needy)("the error of an empty environment of %s names every missing variable", (name) => {
  const message = fault(name, {});
  expect(message).toContain(`The environment of ${name} is incomplete`);
  for (const variable of Object.keys(Environments[name].shape)) expect(message).toContain(variable);
});

describe("the error of a wrong variable", () => {
  test.each<[FunctionName, string, string]>([
    ["place", "SUBNETS", "subnet-1"],
    ["place", "SUBNETS", "[]"],
    ["place", "SUBNETS", '[{"zone":"us-east-1a"}]'],
    ["place", "LAUNCH_TEMPLATES", '{"gpu":1}'],
    ["place", "LANE_QUEUE_URL", "lane"],
    ["submit-jobs", "TABLE", ""],
    ["node", "WORKER_ASSET", "worker.mjs"],
    ["seal-artifact", "KEY_ALIAS_PREFIX", "fleetwright-"],
  ])("the environment error of %s names only %s if that is %j", (name, variable, value) => {
    const message = fault(name, { ...whole, [variable]: value });
    expect(message).toContain(variable);
    for (const other of Object.keys(whole).filter((each) => each !== variable)) expect(message).not.toContain(other);
  });
});

test("environment variables that hold JSON are parsed", () => {
  expect(environment("place", whole)).toMatchObject({
    SUBNETS: [{ zone: "us-east-1a", subnet: "subnet-1" }],
    LAUNCH_TEMPLATES: { gpu: "lt-1" },
  });
});

test("environment errors do not contain the values of variables", () => {
  expect(fault("place", { ...whole, SUBNETS: "hidden-value", LANE_QUEUE_URL: "hidden-value" })).not.toContain("hidden-value");
});
