import { describe, expect, test } from "vitest";
import type { TableAccess } from "../../../lib/aws/table/access.ts";
import { asRead } from "../../../lib/aws/table/as-read.ts";
import * as expressions from "../../../lib/aws/table/expression.ts";
import { add, expression, isThere, set } from "../../../lib/aws/table/expression.ts";
import { type Part, transact } from "../../../lib/aws/table/transaction.ts";

describe("an update expression", () => {
  test.each([
    ["sets only", [set("a", 1)], "SET #0 = :0"],
    ["removes only", [set("a", undefined)], "REMOVE #0"],
    ["adds only", [add("a", 1)], "ADD #0 :0"],
    ["does all of it", [add("a", 1), set("b", undefined), set("c", 2)], "SET #0 = :0 REMOVE #1 ADD #2 :1"],
  ])("an update that %s has no empty clause, which DynamoDB refuses", (_what, changes, text) => {
    expect(expression({ changes }).UpdateExpression).toBe(text);
  });

  test("a write without changes has no update expression", () => {
    expect(expression({ changes: [] })).not.toHaveProperty("UpdateExpression");
  });
});

describe("a transaction", () => {
  const check = (n: number): Part => ({ kind: "check", key: { pk: "a", sk: String(n) }, when: [isThere("pk")] });
  const sent: unknown[] = [];
  const access = { table: "t", client: { send: async (command: unknown) => void sent.push(command) } } as unknown as TableAccess;

  test("a transaction that DynamoDB would refuse whatever the table contains is not sent", async () => {
    const parts = Array.from({ length: 101 }, (_, n) => check(n));
    await expect(transact(access, parts)).rejects.toMatchObject({ code: "transaction", retry: false });
    const twice: readonly Part[] = [check(1), { kind: "put", item: { pk: "a", sk: "1" } }];
    await expect(transact(access, twice)).rejects.toMatchObject({ code: "transaction", retry: false });
    expect(sent).toEqual([]);
  });
});

describe("work that is based on what was read", () => {
  test("such work is repeated while another writer is faster", async () => {
    const outcomes = ["changed", "changed", "done"] as const;
    let done = 0;
    expect(await asRead("job a", async () => outcomes[done++] ?? "done")).toBe("done");
    expect(done).toBe(3);
  });

  test("such work fails after four reads with an error that may be retried", async () => {
    let reads = 0;
    const work = async (): Promise<"changed"> => {
      reads += 1;
      return "changed";
    };
    await expect(asRead("job a", work)).rejects.toMatchObject({ code: "table-busy", retry: true, message: "job a kept changing" });
    expect(reads).toBe(4);
  });
});

describe("the expressions of DynamoDB", () => {
  const { isNot, isOneOf, isAtMost, isBelow, isAbove, isBetween, beginsWith, isThere, isAbsent, hasFewerThan, isEmpty, either, is } =
    expressions;

  test("each condition is written with placeholders for its names and values", () => {
    const when = [
      is("a", 1),
      isNot(["a", "b"], "x"),
      isOneOf("a", [1, 2]),
      isAtMost("c", 3),
      isBelow("c", 4),
      isAbove("d", "e"),
      isBetween("d", "f", "g"),
      beginsWith("d", "h"),
      isThere("i"),
      isAbsent("j"),
      hasFewerThan("k", 5),
      isEmpty("l"),
      either(is("a", 1), isAbsent("a")),
    ];
    expect(expression({ when })).toMatchSnapshot();
  });

  test("changes, keys, filters and the attributes to read are parts of one expression", () => {
    const { setOnce, include, setAll } = expressions;
    const changes = [...setAll({ a: 1, b: undefined }), setOnce("c", { d: undefined, e: [undefined, 1] }), include("f", "g"), add("h", -1)];
    expect(expression({ changes })).toMatchSnapshot();
    const query = { keyIs: { pk: "P" }, within: [beginsWith("sk", "S")], only: [is("a", 1)] };
    expect(expression({ ...query, reads: ["pk", "z"] })).toMatchSnapshot();
    expect(expression({ keyIs: { pk: "P" }, reads: ["z"] })).toMatchSnapshot();
    expect(expression({})).toEqual({});
  });
});
