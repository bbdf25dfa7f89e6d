import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";

type TableAction = "GetItem" | "BatchGetItem" | "Query" | "PutItem" | "UpdateItem" | "DeleteItem" | "ConditionCheckItem" | "DescribeTable";

/** All write actions, because a transaction needs the action of each of its parts. */
export const allWrites: readonly TableAction[] = ["PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"];

/** Allows actions on the table itself, but not on its index. */
export const onTable = (table: Table, actions: readonly TableAction[]): PolicyStatement =>
  new PolicyStatement({ sid: "Table", actions: actions.map((action) => `dynamodb:${action}`), resources: [table.tableArn] });

export const sendTo = (...queues: readonly IQueue[]): PolicyStatement =>
  new PolicyStatement({ sid: "Send", actions: ["sqs:SendMessage"], resources: queues.map((queue) => queue.queueArn) });

/** Allows calls to a function's URL. Since October 2025, such a call needs both permissions. */
export const callUrl = (target: IFunction): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["lambda:InvokeFunctionUrl"],
    resources: [target.functionArn],
    conditions: { StringEquals: { "lambda:FunctionUrlAuthType": "AWS_IAM" } },
  }),
  new PolicyStatement({
    actions: ["lambda:InvokeFunction"],
    resources: [target.functionArn],
    conditions: { Bool: { "lambda:InvokedViaFunctionUrl": "true" } },
  }),
];
