import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";

const writes = new Set(["TransactWriteItemsCommand", "UpdateItemCommand", "PutItemCommand", "DeleteItemCommand"]);

export type Race = {
  /** Whether the event has happened. */
  readonly happened: () => boolean;
};

/**
 * Lets something happen once, after an operation has read and right before its next write reaches the table. The event may use the same
 * client. `isIt` selects the write by its input as JSON; undefined for whatever write is next.
 */
export function beforeNextWrite(base: DynamoDBClient, event: () => Promise<unknown>, isIt: (input: string) => boolean = () => true): Race {
  let happened = false;
  base.middlewareStack.add(
    (next, context) => async (args) => {
      if (happened || !writes.has(context.commandName ?? "") || !isIt(JSON.stringify(args.input))) return next(args);
      happened = true;
      await event();
      return next(args);
    },
    { step: "initialize" },
  );
  return { happened: () => happened };
}
