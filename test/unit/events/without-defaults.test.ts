import { expect, test } from "vitest";
import * as z from "zod";
import { withoutDefaults } from "../../../events/without-defaults.ts";

const Part = z.strictObject({ name: z.string(), size: z.int().default(1), tags: z.array(z.string()).default([]) });

test.each<[string, z.ZodType, unknown, unknown]>([
  ["a field that equals its default", Part, { name: "a", size: 1, tags: [] }, { name: "a" }],
  ["a field of an object in a list", z.array(Part), [{ name: "a", size: 1, tags: ["x"] }], [{ name: "a", tags: ["x"] }]],
  [
    "a field of an optional object",
    z.object({ part: Part.optional() }),
    { part: { name: "a", size: 2, tags: [] } },
    { part: { name: "a", size: 2 } },
  ],
  ["an optional field that is undefined", z.object({ part: Part.optional() }), { part: undefined }, {}],
  [
    "a field of the option of a union that matches the value",
    z.union([z.string().transform((name) => ({ name, size: 1, tags: [] as string[] })), Part]),
    { name: "a", size: 1, tags: [] },
    { name: "a" },
  ],
  ["a field of a transformed object", Part.transform((part) => part), { name: "a", size: 1, tags: [] }, { name: "a" }],
  ["a field of a preprocessed object", z.preprocess((given) => given, Part), { name: "a", size: 1, tags: [] }, { name: "a" }],
  [
    "an object that equals the default of its field",
    z.object({ part: Part.default({ name: "a", size: 7, tags: [] }) }),
    { part: { tags: [], size: 7, name: "a" } },
    {},
  ],
])("%s is left out of the value without defaults", (_what, schema, value, expected) => {
  expect(withoutDefaults(schema, value)).toEqual(expected);
});

test("a field that differs from its default stays, and so do the entries of a record", () => {
  const schema = z.object({ size: z.int().default(1), env: z.record(z.string(), z.string()).default({}) });
  expect(withoutDefaults(schema, { size: 0, env: { size: "1" } })).toEqual({ size: 0, env: { size: "1" } });
});

test("a default list is not left out if its order differs", () => {
  const schema = z.object({ steps: z.array(z.string()).default(["a", "b"]) });
  expect(withoutDefaults(schema, { steps: ["b", "a"] })).toEqual({ steps: ["b", "a"] });
  expect(withoutDefaults(schema, { steps: ["a", "b"] })).toEqual({});
});
