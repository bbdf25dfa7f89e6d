import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import fleetConfig from "../../cdk/fleet.config.ts";
import { billLines } from "../../lib/cli/cost/cost.ts";
import { idleBill } from "../../lib/cli/cost/idle-bill.ts";
import { poolNumbers } from "../../lib/decide/health/pool-numbers.ts";
import { Template } from "../../lib/local/template/template.ts";
import type { Measure } from "../../lib/model/objectives/objective.ts";
import { publishPoolNumbers } from "../../lib/runtime/pool-metrics.ts";
import { aNode, aPool, aSnapshot } from "../fakes/builders.ts";
import { writtenMetrics } from "../fakes/written-metrics.ts";
import { Synthesized, textOf } from "./synthesized.ts";

const withDashboard = { ...fleetConfig, dashboard: true };
const stack = new Synthesized(withDashboard);

const Body = z.object({
  widgets: z.array(
    z.object({
      type: z.enum(["metric", "log"]),
      width: z.number(),
      properties: z.looseObject({ title: z.string(), query: z.string().optional() }),
    }),
  ),
});

const textIn = (synthesized: Synthesized): string =>
  synthesized
    .all("AWS::CloudWatch::Dashboard")
    .map(({ properties }) => textOf(properties["DashboardBody"]))
    .join();
const text = textIn(stack);
const { widgets } = Body.parse(JSON.parse(text));
/** What each graph draws: `[namespace, metric, dimension, value, …]` for a metric, and one object for an expression. */
const drawn = widgets.flatMap(({ properties }) => z.array(z.array(z.unknown())).parse(properties["metrics"] ?? []));
const metrics = drawn.filter(([first]) => typeof first === "string");
const expressions = drawn.flatMap(([first]) => z.object({ expression: z.string() }).safeParse(first).data?.expression ?? []);
const queries = widgets.flatMap(({ properties: { query } }) => query ?? []);
const namesOf = (type: string, property: string): unknown[] => stack.all(type).map(({ properties }) => properties[property]);

afterEach(() => void vi.restoreAllMocks());

/** What the tick publishes and logs about a pool that has everything. */
const budgets = { usdPerDay: 10, usdPerMonth: 100 };
const numbers = {
  ...poolNumbers({ ...aSnapshot({ pool: aPool({ budgets, teamBudgets: { vision: budgets } }), nodes: [aNode()] }), queued: 1 }),
  gpuUtilization: 50,
};
const attempt = { team: "vision", job: "a", attempt: 1 };
const measures: readonly Measure[] = [
  { what: "launch", pool: "gpu", launch: "launch-1", seconds: 1 },
  { what: "start", pool: "gpu", attempt, seconds: 1 },
  { what: "lost-work", pool: "gpu", attempt, because: "lost" },
];

/** Returns the fields of a line of a log, as queries name them: `nodesByState.ready`. */
const fieldsOf = (line: object, above = ""): string[] =>
  Object.entries(line).flatMap(([name, value]) =>
    typeof value === "object" && value !== null ? fieldsOf(value, `${above}${name}.`) : `${above}${name}`,
  );

describe("the dashboard", () => {
  test("its searches name only metrics that the tick publishes for each pool", () => {
    const lines = writtenMetrics(() => publishPoolNumbers({ fleet: "fleetwright", pool: "gpu" }, numbers));
    const known = lines.filter((line) => line["pool"] !== undefined).flatMap((line) => Object.keys(line));
    const searched = expressions.filter((each) => each.includes("{Fleetwright,fleet,pool}"));
    const names = searched.flatMap((each) => [...each.matchAll(/MetricName="(\w+)"/g)].map(([, name]) => name));
    expect(names.length).toBeGreaterThan(5);
    expect(known).toEqual(expect.arrayContaining(names));
  });

  test("its other metrics of Fleetwright are published by place, or for the whole deployment", () => {
    const sources = ["functions/place.ts", "lib/model/alarm.ts"].map((file) =>
      readFileSync(join(import.meta.dirname, "../..", file), "utf8"),
    );
    const named = metrics.filter(([namespace]) => namespace === "Fleetwright");
    expect(named.length).toBeGreaterThan(4);
    for (const [, metric, ...dimensions] of named) {
      expect(sources.join()).toContain(`"${metric}"`);
      expect([dimensions[0], dimensions[2]]).toEqual(["fleet", typeof dimensions[2] === "string" ? "service" : dimensions[2]]);
    }
  });

  test("its queries of the tick's log name only fields that a line about a pool has", () => {
    const asked = queries
      .filter((each) => each.includes("pool counted"))
      .flatMap((each) => [...each.matchAll(/(?:sum|latest)\(([\w.]+)\)/g)].map(([, field]) => field));
    expect(asked.length).toBeGreaterThan(7);
    expect(fieldsOf(numbers)).toEqual(expect.arrayContaining(asked));
  });

  test.each(measures)("its query about $what names only fields that such a line has", (measure) => {
    const [query = "", ...others] = queries.filter((each) => each.includes(`what = "${measure.what}"`));
    expect(others).toEqual([]);
    const asked = [...query.matchAll(/pct\((\w+),|[ ,](attempt\.\w+|because|pool)\b/g)].map(([, timed, field]) => timed ?? field);
    expect(asked.length).toBeGreaterThan(1);
    expect(fieldsOf(measure)).toEqual(expect.arrayContaining(asked));
  });

  test("there is none unless the admin asks for one, because it costs money", () => {
    expect(new Synthesized().all("AWS::CloudWatch::Dashboard")).toEqual([]);
    expect(stack.all("AWS::CloudWatch::Dashboard")).toHaveLength(1);
  });

  test("the bill of an idle deployment lists the dashboard, which costs $3.00 a month, and nothing else that is new", () => {
    const billOf = (synthesized: Synthesized) => idleBill(Template.parse(synthesized.template.toJSON()).Resources);
    const [before, after] = [billOf(new Synthesized()), billOf(stack)];
    expect(after.usd - before.usd).toBeCloseTo(3);
    expect(after.unpriced).toEqual([]);
    expect(billLines(after, 100).join("\n")).toMatch(/dashboards/);
  });

  test("it has its region in its name, because dashboards of all regions share one list", () => {
    const [dashboard] = stack.all("AWS::CloudWatch::Dashboard");
    expect(dashboard?.properties["DashboardName"]).toEqual({ "Fn::Join": ["", ["fleetwright-", { Ref: "AWS::Region" }]] });
  });

  test("with many pools and teams it is not a byte larger than with one of each, and it stays below 20 KB", () => {
    const teams = Array.from({ length: 20 }, (_, n) => `team-${n}`);
    const pools = fleetConfig.pools.flatMap((pool) =>
      Array.from({ length: 20 }, (_, n) => ({ ...pool, name: n === 0 ? "gpu" : `pool-${n}` })),
    );
    const one = textIn(new Synthesized({ ...withDashboard, teams: ["a"] }));
    expect(textIn(new Synthesized({ ...withDashboard, pools, teams }))).toBe(one);
    expect(text.length).toBeGreaterThan(3_000);
    expect(text.length).toBeLessThan(20_000);
  });

  test("no graph names more metrics than CloudWatch draws, and each search is shorter than its limit of 1,024 characters", () => {
    for (const { properties } of widgets) expect(z.array(z.unknown()).parse(properties["metrics"] ?? []).length).toBeLessThan(100);
    expect(expressions.length).toBeGreaterThan(5);
    for (const expression of expressions) expect(expression.length).toBeLessThan(1_024);
  });

  test("each of its functions, queues and logs exists in the stack", () => {
    const existing = { FunctionName: namesOf("AWS::Lambda::Function", "FunctionName"), QueueName: namesOf("AWS::SQS::Queue", "QueueName") };
    const of = (dimension: keyof typeof existing): unknown[] => metrics.flatMap((each) => (each[2] === dimension ? [each[3]] : []));
    expect(of("FunctionName").length).toBeGreaterThan(20);
    expect(of("QueueName").length).toBeGreaterThan(5);
    expect(existing.FunctionName).toEqual(expect.arrayContaining(of("FunctionName")));
    expect(existing.QueueName).toEqual(expect.arrayContaining(of("QueueName")));
    const logs = queries.flatMap((each) => [...each.matchAll(/SOURCE '([^']+)'/g)].map(([, log]) => log));
    expect(new Set(logs)).toEqual(new Set(["place", "node", "tick"].map((name) => `/aws/lambda/fleetwright-${name}`)));
    expect(namesOf("AWS::Logs::LogGroup", "LogGroupName")).toEqual(expect.arrayContaining(logs));
  });

  test("every function has its errors and its throttles on it, except the one that ends with the stack", () => {
    const named = metrics.filter(([, metric]) => metric === "Throttles").map((each) => each[3]);
    expect(named.toSorted()).toEqual(
      namesOf("AWS::Lambda::Function", "FunctionName")
        .filter((name) => name !== "fleetwright-end-fleet" && name !== undefined)
        .toSorted(),
    );
  });

  test("a search for the queues of teams finds none of dead letters, because their names do not contain its words one after the other", () => {
    const [search = ""] = expressions.filter((each) => each.includes("AWS/SQS"));
    const [, words = ""] = /QueueName=([a-z0-9-]+)'/.exec(search) ?? [];
    const found = namesOf("AWS::SQS::Queue", "QueueName").filter((name) => String(name).includes(words));
    expect(found.toSorted()).toEqual(["fleetwright-jobs-research", "fleetwright-jobs-vision"]);
  });
});
