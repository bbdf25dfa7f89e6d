import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";

type Names = { ExpressionAttributeNames?: Record<string, string>; ExpressionAttributeValues?: Record<string, unknown> };
type Update = Names & { UpdateExpression?: string };
type Write = { Item?: Record<string, unknown> } & Update;

const future = { M: { of: { S: "the next release" } } };

/**
 * Makes a client write as the next release may: with one more field on every item, whether it is new or changed. This release must work
 * on such items as on its own.
 */
export function writingMore(client: DynamoDBClient): DynamoDBClient {
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        const input = args.input as Write & { TransactItems?: readonly Record<string, Write>[] };
        if (commandName === "PutItemCommand" || commandName === "UpdateItemCommand") extend(input);
        for (const part of input.TransactItems ?? []) for (const kind of ["Put", "Update"]) if (part[kind]) extend(part[kind]);
        return next(args);
      },
    { step: "serialize", priority: "high", name: "one-more-field" },
  );
  return client;
}

function extend(write: Write): void {
  if (write.Item) write.Item["future"] = future;
  if (write.UpdateExpression === undefined) return;
  const { UpdateExpression: update } = write;
  write.ExpressionAttributeNames = { ...write.ExpressionAttributeNames, "#future": "future" };
  write.ExpressionAttributeValues = { ...write.ExpressionAttributeValues, ":future": future };
  write.UpdateExpression = /\bSET /.test(update) ? update.replace(/\bSET /, "SET #future = :future, ") : `SET #future = :future ${update}`;
}
