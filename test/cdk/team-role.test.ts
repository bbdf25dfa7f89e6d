import { expect, test } from "vitest";
import { Synthesized, textOf } from "./synthesized.ts";

const stack = new Synthesized();

test.each(["research", "vision"])("the role of team %s may do exactly what the fleet command does for a team", (team) => {
  const role = stack.teamRole(team).id;
  const statements = Object.fromEntries(
    stack.statementsOf(role).map(({ Sid, Action, Resource }) => [Sid ?? "", { Action, on: Resource?.map(textOf) ?? [] }]),
  );
  const actions = Object.fromEntries(Object.entries(statements).map(([sid, { Action }]) => [sid, Action.toSorted()]));
  expect(actions).toEqual({
    CallApi: ["lambda:InvokeFunction"],
    CallApiUrl: ["lambda:InvokeFunctionUrl"],
    Submit: ["sqs:GetQueueUrl", "sqs:SendMessage"],
    FindIt: ["ssm:GetParameter"],
    Code: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
    Data: ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
    ListData: ["s3:ListBucket"],
    Artifacts: ["s3:GetObject"],
    ListArtifacts: ["s3:ListBucket"],
    Unseal: ["kms:Decrypt", "kms:DescribeKey"],
  });
  for (const sid of ["Code", "Data", "Artifacts"]) {
    const on = statements[sid]?.on ?? [];
    expect(on).toHaveLength(1);
    expect(on[0], sid).toMatch(new RegExp(`/${team}/\\*$`));
  }
});
