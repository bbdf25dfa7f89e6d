import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IQueue } from "aws-cdk-lib/aws-sqs";

type TableAction = "GetItem" | "BatchGetItem" | "Query" | "PutItem" | "UpdateItem" | "DeleteItem" | "ConditionCheckItem" | "DescribeTable";

/** All write actions, because a transaction needs the action of each of its parts. */
export const allWrites: readonly TableAction[] = ["PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"];

/** Allows actions on the table itself, but not on its index. */
export const onTable = (table: Table, actions: readonly TableAction[]): PolicyStatement =>
  new PolicyStatement({ sid: "Table", actions: actions.map((action) => `dynamodb:${action}`), resources: [table.tableArn] });

export const sendTo = (...queues: readonly IQueue[]): PolicyStatement =>
  new PolicyStatement({ sid: "Send", actions: ["sqs:SendMessage"], resources: queues.map((queue) => queue.queueArn) });
