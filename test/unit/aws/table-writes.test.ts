import { describe, expect, test } from "vitest";
import { asRead } from "../../../lib/aws/table/as-read.ts";
import { add, expression, set } from "../../../lib/aws/table/expression.ts";

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
