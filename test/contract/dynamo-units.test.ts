import { isDeepStrictEqual } from "node:util";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { describe, expect, inject, it } from "vitest";
import type { TableAccess } from "../../lib/aws/table/access.ts";
import { type MadeCall, MemoryDynamo } from "../../lib/local/dynamo/memory-dynamo.ts";
import { monday } from "../fakes/builders.ts";
import { clientWithSmallPages, ledgerOn, newTable } from "./dynamodb-ledger.ts";
import { ledgerContract } from "./suites/ledger.ts";

const byTeam = { name: "byTeam", keys: ["teamDay", "submitted"], holds: [] } as const;

type Consumed = { readonly CapacityUnits?: number };
type Sent = { readonly input: Record<string, unknown> };

/** Calls are compared one by one, so they must not run side by side. */
class InTurn {
  #last: Promise<unknown> = Promise.resolve();

  do<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

const compared: Record<string, number> = {};

/**
 * Sends each call to the emulator and to the table in memory, and throws unless both give the same items and consume the same units. A
 * call that one of them refuses must be refused by the other.
 */
function lockstep({ client, table }: TableAccess): TableAccess {
  const made: MadeCall[] = [];
  // The jobs of tests are submitted in the past, and a job that is older than its table is from a backup.
  const memory = new MemoryDynamo({ indexes: [{ ...byTeam, holds: listed }], createdAtMs: monday - 1, made: (call) => void made.push(call) }).client();
  const turns = new InTurn();
  const both = async (command: Sent, options: object): Promise<unknown> => {
    const name = command.constructor.name;
    const there = outcomeOf(
      client.send(asking(command) as Parameters<TableAccess["client"]["send"]>[0], options),
    );
    const [real, ours] = [await there, await outcomeOf(memory.send(command as Parameters<TableAccess["client"]["send"]>[0]))];
    const { units } = made.pop() ?? { units: { read: Number.NaN, write: Number.NaN } };
    if ("error" in real || "error" in ours) {
      if (!("error" in real && "error" in ours)) throw new Error(`${name}: only one of both refused: ${JSON.stringify({ real, ours })}`);
      throw ours.error;
    }
    if (name !== "DescribeTableCommand") {
      const consumed = [real.output["ConsumedCapacity"] as Consumed | Consumed[]].flat().reduce((sum, each) => sum + (each?.CapacityUnits ?? 0), 0);
      if (consumed !== units.read + units.write)
        throw new Error(`${name} consumed ${consumed} units and not ${JSON.stringify(units)}: ${JSON.stringify(command.input)}`);
      for (const part of ["Item", "Items", "Attributes", "Count"])
        if (!isDeepStrictEqual(plain(real.output[part]), plain(ours.output[part])))
          throw new Error(`${name} gave another ${part}: ${JSON.stringify([real.output[part], ours.output[part]])}`);
      compared[name] = (compared[name] ?? 0) + 1;
    }
    return ours.output;
  };
  const send = (command: Sent, options: object): Promise<unknown> => turns.do(() => both(command, options));
  return { client: { send: send as TableAccess["client"]["send"] }, table };
}

const plain = (value: unknown): unknown => (value === undefined ? undefined : structuredClone(value));

/** Returns the command with a request for the units that it consumes. */
function asking<C extends Sent>(command: C): C {
  const Command = command.constructor as new (input: object) => C;
  return new Command({ ...command.input, ReturnConsumedCapacity: "TOTAL" });
}

type Outcome = { readonly output: Record<string, unknown> } | { readonly error: unknown };

const outcomeOf = async (sent: Promise<unknown>): Promise<Outcome> => {
  try {
    return { output: (await sent) as Record<string, unknown> };
  } catch (error) {
    return { error };
  }
};

describe("the units that the table in memory counts", () => {
  const base = clientWithSmallPages();
  ledgerContract(async () => ledgerOn(lockstep(await newTable(base))));
});
