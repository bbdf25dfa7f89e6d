import { expect, test } from "vitest";
import * as z from "zod";
import { checked, lineOf, linesOf } from "../../../events/checked.ts";
import { JobMessage } from "../../../events/job.ts";
import { jsonOf, withoutBom } from "../../../events/json.ts";

const wrong = (schema: z.ZodType, input: unknown): string[] => {
  const read = checked(schema, input);
  return read.kind === "good" ? [] : read.wrong.map((each) => lineOf(each, "all of it"));
};
const job = (fields: object) => wrong(JobMessage, { command: ["x"], ...fields });

test("a message says in words what is expected and what was given", () => {
  expect(job({ gpus: "2" })).toEqual(['gpus: expected a whole number or an object {count, memoryGiB, models}, but got the text "2"']);
  expect(job({ gpus: 0.5 })).toEqual([expect.stringMatching(/but got the number 0\.5$/)]);
  expect(job({ spot: "yes" })).toEqual(['spot: expected true or false, but got the text "yes"']);
  expect(job({ command: "python" })).toEqual(["command: expected a list, but got a text of 6 characters"]);
  expect(job({ vcpus: 0 })).toEqual(["vcpus: must be at least 0.1, but is 0"]);
  expect(job({ retries: 11 })).toEqual(["retries: must be at most 10, but is 11"]);
  expect(job({ code: {} })).toEqual(["code.s3: is missing; a text is expected"]);
  expect(job({ image: "" })).toEqual(["image: must not be empty"]);
  expect(wrong(JobMessage, null)).toEqual(["all of it: expected an object, but got null"]);
});

test("a message about a union names the error in the option that was meant, if that is clear", () => {
  expect(job({ gpus: 99 })).toEqual(["gpus: must be at most 64, but is 99"]);
  expect(job({ gpus: { count: 99 } })).toEqual(["gpus.count: must be at most 64, but is 99"]);
  expect(job({ gpus: { count: 1, model: "T4" } })).toEqual(['gpus: there is no field "model"; did you mean "models"?']);
  expect(job({ datasets: [{ name: "a", share: "half" }] })).toEqual([
    'datasets.0.share: expected "whole" or "part", but got the text "half"',
  ]);
});

test("a message about an unknown field names it, and the field that was meant or all fields", () => {
  const schema = z.strictObject({ memoryGiB: z.number().optional(), pool: z.string().optional() });
  expect(wrong(schema, { memory_gib: 1 })).toEqual(['all of it: there is no field "memory_gib"; did you mean "memoryGiB"?']);
  expect(wrong(schema, { x: 1, y: 2 })).toEqual(['all of it: there is no field "x", "y"; there are: memoryGiB, pool']);
});

test("a message does not repeat a value of the environment, which may be a secret", () => {
  expect(job({ env: "TOKEN=hush" }).join()).not.toContain("hush");
  expect(job({ env: ["TOKEN=hush"] }).join()).not.toContain("hush");
  expect(job({ env: { TOKEN: { value: "hush" } } }).join()).not.toContain("hush");
});

test("a message repeats no long text, and names only a few of a thousand unknown fields", () => {
  expect(job({ spot: "x".repeat(1_000) })).toEqual(["spot: expected true or false, but got a text of 1000 characters"]);
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`field-${n}`, 1]));
  expect(job(many).join().length).toBeLessThan(400);
});

test("no error message about a job contains words of the schema library", () => {
  const odd = [undefined, null, 7, Number.NaN, "", "x", [], {}, true, [7], { a: 1 }];
  for (const field of Object.keys(JobMessage.shape))
    for (const value of odd)
      for (const line of job({ [field]: value }))
        expect(line).not.toMatch(/Invalid|received|Unrecognized|Too (small|big)|ZodError|undefined|NaN/);
});

test("several wrong fields are printed on one line each", () => {
  const read = checked(JobMessage, { command: ["x"], vcpus: 0, retries: -1 });
  expect(read.kind === "wrong" && linesOf(read.wrong)).toBe(
    "\n  vcpus: must be at least 0.1, but is 0\n  retries: must be at least 0, but is -1",
  );
});

test("a byte order mark before a text is removed", () => {
  expect(withoutBom("\uFEFFa\uFEFF")).toBe("a\uFEFF");
  expect(jsonOf('\uFEFF{"a":1}')).toEqual({ a: 1 });
});
