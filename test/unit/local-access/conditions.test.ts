import { describe, expect, it, test } from "vitest";
import { checkConditions } from "../../../lib/local/access/policy/condition-keys.ts";
import { conditionsHold } from "../../../lib/local/access/policy/conditions.ts";
import { named, Statement } from "../../../lib/local/access/policy/statement.ts";

const withCondition = (Condition: object) => Statement.parse({ Effect: "Allow", Action: "*", Resource: "*", Condition });
const holds = (operator: string, wanted: unknown, actual?: readonly string[]) =>
  conditionsHold(withCondition({ [operator]: { "aws:Key": wanted } }), { "aws:key": actual });

describe("condition operators", () => {
  test.each<[string, unknown, string, string]>([
    ["StringEquals", "a", "a", "A"],
    ["StringEquals", ["a", "b"], "b", "c"],
    ["StringEqualsIgnoreCase", "a", "A", "b"],
    ["StringLike", "a*", "ab", "ba"],
    ["StringLike", "a?", "ab", "abc"],
    ["ArnEquals", "arn:aws:s3:*:*:x", "arn:aws:s3:r:1:x", "arn:aws:s3:r:1:y"],
    ["ArnLike", "arn:aws:sqs:*:1:a*", "arn:aws:sqs:us:1:ab", "arn:aws:sqs:us:2:ab"],
    ["Bool", true, "true", "false"],
    ["NumericLessThan", 1.2, "1.1", "1.2"],
    ["NumericGreaterThanEquals", 5, "5", "4"],
    ["StringNotEquals", "a", "b", "a"],
    ["StringNotLike", "a*", "b", "ab"],
    ["ArnNotLike", "arn:aws:sqs:*:1:a", "arn:aws:sqs:us:1:b", "arn:aws:sqs:us:1:a"],
  ])("%s with %j holds for %s and not for %s", (operator, wanted, good, bad) => {
    expect(holds(operator, wanted, [good])).toBe(true);
    expect(holds(operator, wanted, [bad])).toBe(false);
  });

  it("a wildcard in an ARN does not extend over a colon, except in its last part", () => {
    expect(holds("ArnLike", "arn:aws:*:x", ["arn:aws:s3:r:1:x"])).toBe(false);
    expect(holds("ArnLike", "arn:aws:logs:*:1:group:*", ["arn:aws:logs:r:1:group:a:b"])).toBe(true);
  });

  test.each([
    ["StringEquals", false],
    ["StringNotEquals", true],
    ["StringEqualsIfExists", true],
    ["StringNotLikeIfExists", true],
    ["ForAllValues:StringEquals", true],
    ["ForAnyValue:StringEquals", false],
    ["Bool", false],
  ])("without the key, %s is %s", (operator, expected) => {
    expect(holds(operator, "a")).toBe(expected);
  });

  it("Null asks whether the key is missing", () => {
    expect([holds("Null", "true"), holds("Null", "false"), holds("Null", "true", ["x"]), holds("Null", "false", ["x"])]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  it("of several values, all or any must meet the condition, as its prefix says", () => {
    expect(holds("ForAllValues:StringEquals", ["a", "b"], ["a", "b"])).toBe(true);
    expect(holds("ForAllValues:StringEquals", ["a", "b"], ["a", "c"])).toBe(false);
    expect(holds("ForAnyValue:StringEquals", ["a", "b"], ["c", "a"])).toBe(true);
    expect(holds("ForAnyValue:StringEquals", ["a", "b"], ["c", "d"])).toBe(false);
  });

  it("all keys and all operators of a statement must hold", () => {
    const both = withCondition({ StringEquals: { a: "1", b: "2" }, StringLike: { c: "3" } });
    const held = { a: ["1"], b: ["2"], c: ["3"] };
    expect(conditionsHold(both, held)).toBe(true);
    for (const name of ["a", "b", "c"]) expect(conditionsHold(both, { ...held, [name]: ["9"] })).toBe(false);
  });

  it("a variable in a wanted value stands for the caller's value", () => {
    const own = withCondition({ StringEquals: { "aws:ResourceTag/team": `\${aws:PrincipalTag/team}` } });
    const context = { "aws:principaltag/team": ["a"], "aws:resourcetag/team": ["a"] };
    expect(conditionsHold(own, context)).toBe(true);
    expect(conditionsHold(own, { ...context, "aws:resourcetag/team": ["b"] })).toBe(false);
    expect(conditionsHold(own, { "aws:resourcetag/team": [`\${aws:PrincipalTag/team}`] })).toBe(false);
  });
});

describe("what cannot be judged", () => {
  const check = (over: object) => () =>
    checkConditions(named("Role", [Statement.parse({ Sid: "S", Effect: "Deny", Action: "*", Resource: "*", ...over })]));

  test.each<[object, string]>([
    [{ Condition: { StringEquals: { "aws:SourceVpc": "v" } } }, "the condition key aws:sourcevpc of Role/S"],
    [{ Condition: { DateLessThan: { "aws:CurrentTime": "x" } } }, "the condition operator DateLessThan of Role/S"],
    [{ Condition: { "ForSomeValues:StringEquals": { "aws:TagKeys": "x" } } }, "the condition operator ForSomeValues:StringEquals"],
    [{ Resource: `arn:aws:s3:::b/\${aws:username}` }, "the condition key aws:username of Role/S"],
    [{ Condition: { StringEquals: { "aws:ResourceTag/a": `\${aws:SourceIp}` } } }, "the condition key aws:sourceip of Role/S"],
  ])("a policy with %j stops the start with a message that names it", (over, message) => {
    expect(check(over)).toThrow(message);
  });

  it("a policy with known keys, in any case, does not", () => {
    expect(check({ Condition: { StringLikeIfExists: { "KMS:EncryptionContext:purpose": "x", "s3:Prefix": `\${*}` } } })).not.toThrow();
  });
});
