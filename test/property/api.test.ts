import fc from "fast-check";
import { expect, test } from "vitest";
import { allOperations } from "../../lib/api/operations.ts";
import { ApiWorld, callers, decisionId, holdAgainstDocument, nodeId, type Who } from "../unit/api/api-world.ts";
import { isStorm, stormRuns } from "./storm-runs.ts";

const names = [
  "vision",
  "research",
  "sales",
  "gpu",
  "lab",
  "runs",
  "done",
  "secret",
  "waits",
  "cats",
  "dogs",
  nodeId(1),
  decisionId(1),
  "..",
  "%",
  "__proto__",
  "constructor",
];
const segment = fc.oneof(
  fc.constantFrom(...names),
  fc.string({ maxLength: 40 }).map(encodeURIComponent),
  fc.string({ unit: "binary", maxLength: 20 }).map(safe),
);
const good: Readonly<Record<string, readonly string[]>> = {
  team: ["vision", "research"],
  job: ["runs", "done", "waits", "secret"],
  pool: ["gpu", "lab"],
  node: [nodeId(1)],
  decision: [decisionId(1)],
  dataset: ["cats", "dogs", "new"],
  queue: ["seal", "lane", "jobs-vision", "node"],
};
/** An operation, with names that mostly exist. */
const known = fc.constantFrom(...allOperations).chain(({ path, method }) => {
  const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) =>
    fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...(good[name] ?? [])) }, segment),
  );
  return fc.tuple(...parts).map((filled) => ({
    path: `/v1${path.replaceAll(/\{\w+\}/g, () => filled.shift() ?? "")}`,
    method: method.toUpperCase(),
  }));
});
const methods = fc.constantFrom("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS");
const anything = fc.record({ path: fc.array(segment, { maxLength: 6 }).map((parts) => `/${parts.join("/")}`), method: methods });
const mixed = fc.record({ path: known.map(({ path }) => path), method: methods });
const target = fc.oneof({ weight: 6, arbitrary: known }, mixed, anything);
const value = fc.oneof(
  fc.constantFrom(
    "",
    "0",
    "1",
    "50",
    "100",
    "1000",
    "queued",
    "queued,running",
    "r*",
    "2026-06-01T00:00:00Z",
    "f/1",
    `gpu/${nodeId(1)}`,
    "20260601",
    decisionId(2),
    "000000000000001#a",
  ),
  fc.string({ maxLength: 30 }),
  fc.integer().map(String),
);
const query = fc
  .array(
    fc.tuple(
      fc.oneof(
        fc.constantFrom("limit", "cursor", "state", "attempt", "pool", "name", "since", "before", "__proto__"),
        fc.string({ maxLength: 8 }),
      ),
      value,
    ),
    { maxLength: 4 },
  )
  .map((pairs) => new URLSearchParams(pairs).toString());
const someQuery = fc.oneof(fc.constant(""), query);
const job = fc.record(
  {
    id: fc.oneof(fc.constantFrom("waits", "new"), fc.string({ maxLength: 20 })),
    command: fc.array(fc.string({ maxLength: 10 }), { maxLength: 3 }),
    gpus: fc.oneof(fc.integer(), fc.record({ count: fc.integer({ min: 0, max: 70 }) })),
    nodes: fc.integer({ min: -1, max: 60 }),
    pool: fc.constantFrom("gpu", "lab", "moon"),
    datasets: fc.array(fc.constantFrom("cats", "dogs", "x"), { maxLength: 3 }),
    env: fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 })),
    source: fc.constantFrom("s3://fleet-data/vision/a", "s3://x", ""),
    reason: fc.string({ maxLength: 10 }),
    jobs: fc.array(fc.oneof(fc.constantFrom("waits", "runs", "secret"), fc.string({ maxLength: 5 }), fc.jsonValue()), { maxLength: 5 }),
    states: fc.array(fc.constantFrom("queued", "running", "asleep"), { maxLength: 3 }),
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      { command: ["x"] },
      { id: "waits", command: ["y"] },
      { command: ["x"], gpus: 9 },
      { source: "s3://open-data" },
      { reason: "why" },
      { jobs: ["waits", "runs", "secret", "done"] },
      { jobs: ["waits", "hidden"], states: ["queued"] },
      { jobs: [{ command: ["x"] }, { id: "done", command: ["y"], datasets: ["dogs"] }, 7] },
    ),
  },

  fc.constant(undefined),
  job,
  fc.jsonValue(),
  fc.string({ maxLength: 100 }),
  fc.string({ unit: "binary", maxLength: 100 }),
);
const type = fc.oneof(
  { weight: 4, arbitrary: fc.constant("application/json") },
  fc.constantFrom("", "text/plain", "application/json;charset=utf-8", "application/json ; x", ";"),
);
const who = fc.constantFrom(...Object.keys(callers).filter((name): name is Who => name in callers));

/** Percent signs that encode nothing, and anything else that a URL may contain. */
function safe(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll("%25", "%");
}

test("every request gets a JSON response as documented, and never a server error", async () => {
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(fc.record({ target, query: someQuery, body, type, who }), async ({ target: { path, method }, ...request }) => {
      const withBody = method !== "GET" && method !== "HEAD" ? { body: request.body } : {};
      const url = `${path}${request.query === "" ? "" : `?${request.query}`}`;
      const response = await new ApiWorld().fetchRaw(url, { as: request.who, method, type: request.type, ...withBody });
      expect(response.status, JSON.stringify(response.body)).toBeLessThan(500);
      holdAgainstDocument(url, method, response);
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    }),
    { numRuns: stormRuns(10_000) },
  );
  // Some calls must get past the first checks. Few calls in a thousand get as far as the last three.
  for (const status of [200, 400, 403, 404, 405, ...(isStorm ? [201, 204, 415] : [])])
    expect(statuses.get(status) ?? 0, `${status}`).toBeGreaterThan(0);
});

test("no response to a team contains another team's names", async () => {
  await fc.assert(
    fc.asyncProperty(fc.record({ target: known, query }), async ({ target: { path }, query: with_ }) => {
      const response = await new ApiWorld().fetchRaw(`${path}${with_ === "" ? "" : `?${with_}`}`, { as: "vision" });
      const text = response.status < 300 ? JSON.stringify(response.body) : "";
      expect(text).not.toMatch(/secret|hidden|dogs/);
    }),
    { numRuns: stormRuns(2_500) },
  );
});
