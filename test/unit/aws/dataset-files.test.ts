import type { S3Client } from "@aws-sdk/client-s3";
import { expect, it } from "vitest";
import { s3DatasetFiles } from "../../../lib/aws/datasets/dataset-files.ts";

it("removing a dataset's files deletes a thousand per call and reports those that S3 did not remove", async () => {
  const calls: number[] = [];
  const send = async ({ input }: { input: { Delete: { Objects: { Key: string }[] } } }) => {
    calls.push(input.Delete.Objects.length);
    const [first] = input.Delete.Objects;
    return { Errors: calls.length === 2 ? [{ Key: first?.Key, Code: "AccessDenied", Message: "Access Denied" }] : [] };
  };
  const files = s3DatasetFiles({ s3: { send } as unknown as S3Client, bucket: "data" });
  const paths = Array.from({ length: 1_001 }, (_, n) => `f${n}`);
  expect(await files.remove({ team: "vision", dataset: "mnist" }, paths)).toEqual([
    { path: "f1000", because: "AccessDenied: Access Denied" },
  ]);
  expect(calls).toEqual([1_000, 1]);
});
