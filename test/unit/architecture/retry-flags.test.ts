import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { child, maybe, parsed, running, type Syntax } from "../../mutate/syntax.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const sources = globSync("{cdk,functions,lib}/**/*.ts", { cwd: root }).map((path) => readFileSync(join(root, path), "utf8"));

type Flag = { readonly code: string; readonly retry: string };

/** Returns the code and the `retry` flag of each error that a source throws. A code or flag that is computed is left out. */
function flagsIn(source: string): readonly Flag[] {
  return [...running(parsed(source))].flatMap((node) => {
    if (node.type !== "NewExpression" || !/^(?:Fault|FleetError)$/.test(String(child(node, "callee")["name"]))) return [];
    const [code, , options] = node["arguments"] as readonly Syntax[];
    if (typeof code?.["value"] !== "string") return [];
    const properties = (options?.["properties"] ?? []) as readonly Syntax[];
    const flag = properties.map((each) => (maybe(each, "key")?.["name"] === "retry" ? child(each, "value") : undefined)).find(Boolean);
    return [{ code: code["value"], retry: flag === undefined ? "false" : String(flag["value"] ?? "computed") }];
  });
}

const flags = sources.flatMap(flagsIn);
/** Returns the number of places per code. */
const countOf = (retry: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [
      ...Map.groupBy(
        flags.filter((each) => each.retry === retry),
        ({ code }) => code,
      ),
    ].map(([code, { length }]) => [code, length]),
  );

/**
 * The errors after which the same call may succeed, with the number of places that throw them so. Queues, functions and workers repeat
 * what fails with them, so a flag that is lost loses work, and one too many repeats it in vain. A new place needs a line here.
 */
const retried: Readonly<Record<string, number>> = {
  "api-unreachable": 1,
  boot: 2,
  code: 2,
  credentials: 1,
  "dataset-busy": 2,
  "environment-ended": 1,
  image: 1,
  interrupted: 2,
  key: 2,
  market: 1,
  "memory-busy": 1,
  ministack: 2,
  "node-call": 11,
  "not-ended": 1,
  object: 3,
  outbox: 2,
  queue: 1,
  report: 1,
  shard: 3,
  "shard-list": 3,
  source: 1,
  stopped: 4,
  sweep: 1,
  table: 1,
  "table-busy": 3,
  tick: 2,
  unavailable: 4,
  upload: 4,
};

test("exactly the known errors may be retried", () => {
  expect(countOf("true")).toEqual(retried);
});

test("an error whose flag is computed depends on its cause", () => {
  expect(Object.keys(countOf("computed")).sort()).toEqual(["api-answer", "disk-full", "outbox", "table"]);
});

test("the flag of an error is found, whatever the other options", () => {
  expect(flagsIn('throw new Fault("a", "b", { cause, retry: true }); throw new Fault("c", "d"); new Fault("e", f, { retry: g });')).toEqual(
    [
      { code: "a", retry: "true" },
      { code: "c", retry: "false" },
      { code: "e", retry: "computed" },
    ],
  );
});
