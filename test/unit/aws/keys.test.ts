import { expect, test } from "vitest";
import { placeInQueue, queueKey } from "../../../lib/aws/table/keys.ts";
import { anEntry } from "../../fakes/builders.ts";

test("a place in a queue is read from its key", () => {
  const { team, job, priority, submittedAtMs } = anEntry({ priority: -7 });
  expect(placeInQueue(queueKey({ ...anEntry({ priority: -7 }), pool: "gpu" }))).toEqual({ team, job, priority, submittedAtMs });
});

test.each([
  [{ pk: "Q#gpu" }, "names no team"],
  [{ sk: "0123abcd#50000#000001780000000" }, "names no job"],
  [{ sk: "0123abcd#high#000001780000000#train-1" }, "has no priority"],
  [{ sk: "0123abcd#50000#today#train-1" }, "has no time"],
])("a key is no place in a queue if it %2$s", (broken, _what) => {
  expect(placeInQueue({ ...queueKey({ ...anEntry(), pool: "gpu" }), ...broken })).toBeUndefined();
});
