import { setTimeout as pause } from "node:timers/promises";
import { type DynamoDBClient, TransactionCanceledException } from "@aws-sdk/client-dynamodb";

/** About how long a transaction takes in DynamoDB, ms. In the emulator it takes longer, depending on the machine. */
const takesMs = 15;

type Keyed = { readonly Key?: unknown; readonly Item?: { readonly pk?: unknown; readonly sk?: unknown } };

/**
 * Adds what the emulator lacks: DynamoDB cancels a transaction that conflicts with another one on one of its items. The transactions of
 * all clients that are wired to the same instance conflict with each other.
 */
export function colliding(): { wire(client: DynamoDBClient): void; collisions(): number } {
  const held = new Set<string>();
  let collisions = 0;
  const wire = (client: DynamoDBClient): void => {
    client.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName !== "TransactWriteItemsCommand") return next(args);
        const { TransactItems = [] } = args.input as { TransactItems?: readonly Record<string, Keyed>[] };
        const keys = TransactItems.map((item) => nameOf(Object.values(item)[0] ?? {}));
        if (keys.some((key) => held.has(key))) {
          collisions += 1;
          throw new TransactionCanceledException({
            message: "cancelled",
            $metadata: { httpStatusCode: 400 },
            CancellationReasons: keys.map((key) => ({ Code: held.has(key) ? "TransactionConflict" : "None" })),
          });
        }
        for (const key of keys) held.add(key);
        await pause(takesMs);
        for (const key of keys) held.delete(key);
        return next(args);
      },
      { step: "initialize", name: "colliding", priority: "low" },
    );
  };
  return { wire, collisions: () => collisions };
}

const nameOf = ({ Key, Item }: Keyed): string => JSON.stringify(Key ?? { pk: Item?.pk, sk: Item?.sk });
