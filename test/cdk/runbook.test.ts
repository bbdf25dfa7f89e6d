import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseConfiguration } from "../../cdk/configuration/configuration.ts";
import fleetConfig from "../../cdk/fleet.config.ts";
import { Synthesized } from "./synthesized.ts";

/** With everything that an admin may turn on, because each alarm needs a row. */
const stack = new Synthesized({ ...fleetConfig, objectives: { launchSeconds: 60, startSeconds: 600, lostWork: 0 } });
const runbook = readFileSync(join(import.meta.dirname, "..", "..", "docs", "operations.md"), "utf8");

/** Returns a name as the runbook writes it, with NAME, TEAM and POOL for those of the deployment. */
function general(name: string): string {
  const { name: fleet, teams, pools } = parseConfiguration(fleetConfig, "the test");
  const last = (text: string, word: string, names: readonly string[]): string =>
    names.reduce((so, each) => so.replace(new RegExp(`([-/])${each}$`), `$1${word}`), text);
  return last(
    last(name.replace(new RegExp(`^${fleet}`), "NAME"), "TEAM", teams),
    "POOL",
    pools.map((pool) => pool.name),
  );
}

const namesOf = (type: string, property: string): readonly string[] => [
  ...new Set(stack.all(type).map(({ properties }) => general(String(properties[property])))),
];

test("the runbook has a row for every alarm that the stack creates, and for no other", () => {
  const rows = [...runbook.matchAll(/^\| `(NAME[^`]+)` \|/gm)].map(([, name]) => name);
  expect(rows.toSorted()).toEqual(namesOf("AWS::CloudWatch::Alarm", "AlarmName").toSorted());
});

test("every dead-letter queue that the stack creates has an alarm with its name, and those of all teams' jobs have one alarm", () => {
  const queues = namesOf("AWS::SQS::Queue", "QueueName").filter((name) => name.startsWith("NAME-dead-"));
  const alarms = namesOf("AWS::CloudWatch::Alarm", "AlarmName");
  expect(queues.length).toBeGreaterThan(5);
  expect(queues.map((name) => name.replace(/\.fifo$|-TEAM$/, "")).filter((name) => !alarms.includes(name))).toEqual([]);
});

/** Returns the heading under which the runbook has the row of an alarm, as the anchor of its link. */
function sectionOf(alarm: string): string | undefined {
  const above = runbook.split(`\n| \`${alarm}\` |`)[0] ?? "";
  const heading = [...above.matchAll(/^#+ (.+)$/gm)].at(-1)?.[1];
  return heading
    ?.toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");
}

test("every alarm's description says where the runbook has its row", () => {
  for (const { properties } of stack.all("AWS::CloudWatch::Alarm")) {
    const alarm = general(String(properties["AlarmName"]));
    expect([alarm, properties["AlarmDescription"]]).toEqual([
      alarm,
      expect.stringMatching(new RegExp(`^.+\\. Runbook: docs/operations\\.md#${sectionOf(alarm)}$`)),
    ]);
  }
});
