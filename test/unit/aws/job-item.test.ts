import { expect, test } from "vitest";
import { isAbsent } from "../../../lib/aws/table/expression.ts";
import { admitParts, listedJobOf } from "../../../lib/aws/table/items/job-item.ts";
import { aJob, monday } from "../../fakes/builders.ts";

const ended = aJob({ state: "failed", endedAtMs: monday, reason: "2 nodes were lost", endCode: "nodes-lost" });
const [state] = admitParts(ended, isAbsent("pk"));
const item = state?.kind === "put" ? state.item : {};

test("a job's item keeps the code of its end", () => {
  expect(listedJobOf(item).endCode).toBe("nodes-lost");
});

test("a job whose end has no code, or one that only a later release knows, can be read without it", () => {
  for (const endCode of [undefined, "evicted"]) {
    const job = listedJobOf({ ...item, endCode });
    expect(job).toMatchObject({ state: "failed", reason: "2 nodes were lost" });
    expect(job.endCode).toBeUndefined();
  }
});
