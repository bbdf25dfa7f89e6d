import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { JobMessage, specOf } from "../../events/job.ts";
import { bodyHash } from "../../lib/flows/job/body-hash.ts";
import { stormRuns } from "./storm-runs.ts";

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
const gpus = fc.oneof(
  fc.integer({ min: 0, max: 2 }),
  fc.record(
    {
      count: fc.integer({ min: 0, max: 2 }),
      memoryGiB: fc.constantFrom(0, 24),
      models: fc.array(fc.constantFrom("T4", "L4"), { maxLength: 2 }),
    },
    { requiredKeys: ["count"] },
  ),
);
const artifact = fc.oneof(word, fc.record({ path: word, required: fc.boolean() }, { requiredKeys: ["path"] }));
const dataset = fc.oneof(word, fc.record({ name: word, share: fc.constantFrom("whole", "part") }, { requiredKeys: ["name"] }));
/** Values are drawn from few, so that many equal their defaults. */
const fields = {
  command: fc.array(word, { minLength: 1, maxLength: 2 }),
  image: word,
  code: fc.record({ s3: fc.constant("s3://bucket/key.tar.gz"), sha256: fc.constant("0".repeat(64)) }, { requiredKeys: ["s3"] }),
  gpus,
  vcpus: fc.constantFrom(2, 4),
  memoryGiB: fc.constantFrom(8, 16),
  pool: word,
  priority: fc.constantFrom(0, 1),
  maxRuntimeSeconds: fc.constantFrom(86_400, 60),
  retries: fc.constantFrom(0, 1),
  env: fc.dictionary(fc.constantFrom("A", "B"), word),
  artifacts: fc.array(artifact, { maxLength: 2 }),
  spot: fc.boolean(),
  nodes: fc.constantFrom(1, 2),
  datasets: fc.array(dataset, { maxLength: 2 }),
  zones: fc.array(fc.constantFrom("us-east-1a", "us-east-1b"), { maxLength: 2 }),
} satisfies { [field in keyof Omit<JobMessage, "id">]: fc.Arbitrary<unknown> };
const message = fc.record(fields, { requiredKeys: ["command"] });

const specFrom = (given: unknown) => specOf(JobMessage.parse(given));
const hashOf = (given: unknown): string => bodyHash(specFrom(given));

/** The paths of all fields of a message, including those of nested objects. */
const fieldsOf = (value: unknown, at: readonly PropertyKey[] = []): readonly (readonly PropertyKey[])[] =>
  typeof value !== "object" || value === null
    ? []
    : Reflect.ownKeys(value)
        .filter((key) => key !== "length")
        .flatMap((key) => {
          const path = [...at, key];
          return [...(Array.isArray(value) ? [] : [path]), ...fieldsOf(Reflect.get(value, key), path)];
        });

/** The same message without that field. */
function without(given: object, path: readonly PropertyKey[]): object {
  const copy = structuredClone(given);
  const parent = path.slice(0, -1).reduce<object>((of, key) => Reflect.get(of, key), copy);
  Reflect.deleteProperty(parent, path.at(-1) ?? "");
  return copy;
}

/** Reports whether a field has its default value: the message then means the same without it. Uses only the schema's results. */
function isAtDefault(given: object, path: readonly PropertyKey[]): boolean {
  const less = JobMessage.safeParse(without(given, path));
  return less.success && isDeepStrictEqual(specOf(less.data), specFrom(given));
}

test("a job has the same hash whether its default values are written out or left out", () => {
  fc.assert(
    fc.property(message, fc.infiniteStream(fc.boolean()), (given, leaveOut) => {
      const full = specFrom(given);
      const hash = hashOf(given);
      expect(specFrom(full)).toEqual(full);
      expect(hashOf(full)).toBe(hash);
      let some: object = full;
      for (const path of fieldsOf(full)) {
        const isThere = path.slice(0, -1).reduce<unknown>((of, key) => (of instanceof Object ? Reflect.get(of, key) : undefined), some);
        if (isThere !== undefined && isAtDefault(some, path) && leaveOut.next().value) some = without(some, path);
        // As a message, and as the spec of a release that does not have the field yet.
        expect(hashOf(some)).toBe(hash);
        expect(bodyHash(some)).toBe(hash);
      }
    }),
    { numRuns: stormRuns(600) },
  );
});

test("two jobs have the same hash exactly if they request the same", () => {
  // Most pairs of two draws differ in much: a second message is the first one with some fields drawn again.
  const pair = message.chain((one) =>
    fc.tuple(
      fc.constant(one),
      fc.record(fields, { requiredKeys: [] }).map((drawn) => ({ ...one, ...drawn })),
    ),
  );
  fc.assert(
    fc.property(fc.oneof(pair, fc.tuple(message, message)), ([one, other]) => {
      expect(hashOf(one) === hashOf(other)).toBe(isDeepStrictEqual(specFrom(one), specFrom(other)));
    }),
    { numRuns: stormRuns(3_000) },
  );
});
