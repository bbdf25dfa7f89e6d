import { expect, test } from "vitest";
import * as z from "zod";
import { Synthesized, textOf } from "./synthesized.ts";

const stack = new Synthesized();

/** The kinds of resources that hold work: what is lost, or loses its name, if CloudFormation replaces one. */
const holding = {
  "AWS::DynamoDB::Table": "TableName",
  "AWS::S3::Bucket": "BucketName",
  "AWS::KMS::Key": "Description",
  "AWS::KMS::Alias": "AliasName",
  "AWS::SQS::Queue": "QueueName",
  "AWS::Logs::LogGroup": "LogGroupName",
  "AWS::SSM::Parameter": "Name",
} as const;

test("nothing that holds state gets another logical id or another name, because an update would replace it and leave its content behind", () => {
  const found = Object.entries(holding).flatMap(([type, name]) =>
    stack.all(type).map(({ id, properties }) => [id, properties[name] === undefined ? "" : textOf(properties[name])]),
  );
  expect(Object.fromEntries(found.toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1)))).toMatchSnapshot();
});

test("every kind of resource that outlives the stack is pinned", () => {
  const resources = z.record(z.string(), z.object({ Type: z.string(), DeletionPolicy: z.string().default("Delete") }));
  const kept = Object.values(resources.parse(stack.template.toJSON()["Resources"])).filter(
    ({ DeletionPolicy }) => DeletionPolicy !== "Delete",
  );
  expect(kept.length).toBeGreaterThan(8);
  expect(kept.filter(({ Type }) => !Object.keys(holding).includes(Type))).toEqual([]);
});
