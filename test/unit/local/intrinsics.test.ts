import { describe, expect, it } from "vitest";
import { resolve, type Scope } from "../../../lib/local/template/intrinsics.ts";
import { dependencies } from "../../../lib/local/template/order.ts";
import { Template } from "../../../lib/local/template/template.ts";

const scope: Scope = {
  zones: ["us-east-1a", "us-east-1b"],
  ref: (name) => {
    const known: Record<string, unknown> = { "AWS::Region": "us-east-1", Queue: "http://queue", Names: ["a", "b"] };
    if (!(name in known)) throw new Error(`no ${name}`);
    return known[name];
  },
  attribute: (resource, attribute) => `${resource}'s ${attribute}`,
  condition: (name) => name === "Yes",
  mapping: (path) => path.join("-"),
};

/** Replaces `<Name>` with Name in braces after a dollar sign, as CloudFormation writes it. */
const pattern = (text: string): string => text.replace(/<([^>]+)>/g, (_all, name: string) => `\${${name}}`);

describe("intrinsic functions", () => {
  it.each<[string, unknown, unknown]>([
    ["Ref", { Ref: "Queue" }, "http://queue"],
    ["GetAtt", { "Fn::GetAtt": ["Queue", "Arn"] }, "Queue's Arn"],
    ["GetAtt as one string", { "Fn::GetAtt": "Queue.Nested.Arn" }, "Queue's Nested.Arn"],
    ["Join", { "Fn::Join": ["/", ["a", { Ref: "AWS::Region" }, 1]] }, "a/us-east-1/1"],
    ["Join of a referenced list", { "Fn::Join": [",", { Ref: "Names" }] }, "a,b"],
    [
      "Sub",
      { "Fn::Sub": pattern("<Queue> in <AWS::Region>, <Queue.Arn>, <!Literal>") },
      pattern("http://queue in us-east-1, Queue's Arn, <Literal>"),
    ],
    ["Sub with variables", { "Fn::Sub": [pattern("<x>-<Queue>"), { x: { Ref: "AWS::Region" } }] }, "us-east-1-http://queue"],
    ["Select of GetAZs", { "Fn::Select": [1, { "Fn::GetAZs": { Ref: "AWS::Region" } }] }, "us-east-1b"],
    ["Select with a string as its index", { "Fn::Select": ["0", ["x"]] }, "x"],
    ["Split", { "Fn::Split": [":", "a:b"] }, ["a", "b"]],
    ["Base64", { "Fn::Base64": { "Fn::Join": ["", ["é", "!"]] } }, Buffer.from("é!").toString("base64")],
    ["If", { "Fn::If": ["Yes", { Ref: "Queue" }, { Ref: "Nothing" }] }, "http://queue"],
    ["Equals", { "Fn::Equals": [{ Ref: "AWS::Region" }, "us-east-1"] }, true],
    [
      "And, Or and Not",
      { "Fn::And": [{ "Fn::Not": [{ Condition: "No" }] }, { "Fn::Or": [{ Condition: "No" }, { Condition: "Yes" }] }] },
      true,
    ],
    ["FindInMap", { "Fn::FindInMap": ["M", { Ref: "AWS::Region" }, "k"] }, "M-us-east-1-k"],
    ["Cidr", { "Fn::Cidr": ["10.0.0.0/16", 2, 8] }, ["10.0.0.0/24", "10.0.1.0/24"]],
    ["NoValue in an object", { a: 1, b: { Ref: "AWS::NoValue" } }, { a: 1 }],
    ["NoValue behind If", [{ "Fn::If": ["No", 1, { Ref: "AWS::NoValue" }] }, 2], [2]],
    ["an object that only resembles a function", { Ref: "x", More: 1 }, { Ref: "x", More: 1 }],
  ])("resolve evaluates %s as CloudFormation does", (_name, given, wanted) => {
    expect(resolve(given, scope)).toEqual(wanted);
  });

  it.each<[string, unknown, RegExp]>([
    ["an unsupported function", { "Fn::ImportValue": "x" }, /does not support the function Fn::ImportValue/],
    ["an item beyond a list's end", { "Fn::Select": [7, ["x"]] }, /item 7 of a list of 1/],
    ["a list in a string", { "Fn::Sub": pattern("<Names>") }, /Fn::Sub needs a string/],
    ["address blocks that do not fit", { "Fn::Cidr": ["10.0.0.0/24", 2, 8] }, /no room for 2 blocks/],
  ])("resolve throws a FleetError for %s", (_name, given, message) => {
    expect(() => resolve(given, scope)).toThrow(message);
  });
});

describe("the order of resources", () => {
  const template = (resources: Record<string, { Properties?: object; DependsOn?: string[] }>): Template =>
    Template.parse({
      Resources: Object.fromEntries(Object.entries(resources).map(([id, resource]) => [id, { Type: "T", ...resource }])),
    });

  it("dependencies follow Ref, GetAtt, Sub and DependsOn at any depth, but not parameters", () => {
    const needs = dependencies(
      template({
        A: {},
        B: {},
        C: {},
        D: {},
        F: {},
        E: {
          Properties: {
            list: [{ Ref: "A" }, { x: { "Fn::GetAtt": ["B", "Arn"] } }],
            // An attribute may have the name of a resource.
            short: { "Fn::GetAtt": "B.F" },
            text: { "Fn::Sub": pattern("<C.Arn> <AWS::Region>") },
          },
          DependsOn: ["D"],
        },
      }),
    );
    expect([...(needs.get("E") ?? [])].sort()).toEqual(["A", "B", "C", "D"]);
    expect([...(needs.get("A") ?? [])]).toEqual([]);
  });

  it("dependencies throws a FleetError that names resources that depend on each other", () => {
    expect(() => dependencies(template({ A: { DependsOn: ["B"] }, B: { Properties: { b: { Ref: "A" } } }, C: {} }))).toThrow(/A, B$/);
  });
});
