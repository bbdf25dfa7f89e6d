import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import * as z from "zod";
import { openApi } from "../../../lib/api/http/document.ts";
import { allOperations } from "../../../lib/api/operations.ts";

const document = openApi(allOperations, { title: "Fleetwright" });
const text = JSON.stringify(document);

test("the document is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
});

test("the document contains the API's address if it is known", async () => {
  const located = openApi(allOperations, { title: "Fleetwright", server: "https://abc.lambda-url.us-east-1.on.aws" });
  expect(located["servers"]).toEqual([{ url: "https://abc.lambda-url.us-east-1.on.aws" }]);
  expect((await new Validator().validate(structuredClone(located))).valid).toBe(true);
  expect(document).not.toHaveProperty("servers");
});

test("the validator refuses a malformed document", async () => {
  const { valid } = await new Validator().validate({ ...document, paths: { "/v1/me": { get: { responses: 1 } } } });
  expect(valid).toBe(false);
});

test("every reference in the document has a schema, and every named schema is referenced", () => {
  const names = Object.keys(
    z.object({ components: z.object({ schemas: z.record(z.string(), z.unknown()) }) }).parse(document).components.schemas,
  );
  const used = new Set([...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name));
  expect([...used].toSorted()).toEqual(names.toSorted());
  expect(text.match(/"\$ref"/g)?.length).toBe(text.match(/"\$ref":"#\/components\/schemas\/\w+"/g)?.length);
});

test("schemas keep their names, because generated clients use them", () => {
  const { schemas } = z.object({ components: z.object({ schemas: z.record(z.string(), z.unknown()) }) }).parse(document).components;
  expect(Object.keys(schemas).toSorted()).toEqual([
    "Artifacts",
    "Attempt",
    "AttemptPage",
    "Budgets",
    "Cancellation",
    "Cancellations",
    "CancelledJobs",
    "CheckedJobs",
    "Dataset",
    "DatasetDetail",
    "DatasetList",
    "DatasetSource",
    "DeadQueue",
    "DeadQueueList",
    "Decision",
    "DecisionPage",
    "DecisionSummary",
    "HandledLetters",
    "Job",
    "JobMessage",
    "JobMessages",
    "JobPage",
    "JobSummary",
    "Limits",
    "LogLine",
    "LogPage",
    "Me",
    "Node",
    "NodePage",
    "Overrides",
    "Pool",
    "PoolList",
    "Problem",
  ]);
});

test("the document describes a job by the schema that parses job messages", () => {
  const { properties } = z
    .object({ components: z.object({ schemas: z.object({ JobMessage: z.object({ properties: z.record(z.string(), z.unknown()) }) }) }) })
    .parse(document).components.schemas.JobMessage;
  expect(properties["priority"]).toMatchObject({ type: "integer", minimum: -1000, maximum: 1000, default: 0 });
});

test("no schema of a response forbids additional fields", () => {
  const {
    JobMessage: _job,
    Cancellation: _cancel,
    Cancellations: _cancelMany,
    JobMessages: _check,
    DatasetSource: _source,
    ...responseSchemas
  } = z.object({ components: z.object({ schemas: z.record(z.string(), z.unknown()) }) }).parse(document).components.schemas;
  expect(JSON.stringify(responseSchemas)).not.toContain('"additionalProperties":false');
});

test("the document is as before except for its words, because clients rely on its paths, limits and fields", () => {
  const words = new Set(["description", "summary"]);
  const shown: unknown = JSON.parse(JSON.stringify(document, (key, value: unknown) => (words.has(key) ? undefined : value)));
  expect(shown).toMatchSnapshot();
});
