import { isDeepStrictEqual } from "node:util";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, describe, expect, inject } from "vitest";
import type { TableAccess } from "../../../lib/aws/table/access.ts";
import { itemBytes } from "../../../lib/local/dynamo/item-bytes.ts";
import { type MadeCall, MemoryDynamo } from "../../../lib/local/dynamo/memory-dynamo.ts";
import { monday } from "../../fakes/builders.ts";
import { ledgerOn, newTable } from "../dynamodb-ledger.ts";
import { ledgerContract } from "../suites/ledger.ts";

const byTeam = { name: "byTeam", keys: ["teamDay", "submitted"], holds: "all" } as const;

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
  const memory = new MemoryDynamo({ indexes: [byTeam], createdAtMs: monday - 1, made: (call) => void made.push(call) }).client();
  const turns = new InTurn();
  const both = async (command: Sent, options: object): Promise<unknown> => {
    const name = command.constructor.name;
    const there = outcomeOf(client.send(asking(command) as Parameters<TableAccess["client"]["send"]>[0], options));
    const [real, ours] = [await there, await outcomeOf(memory.send(command as Parameters<TableAccess["client"]["send"]>[0]))];
    const { units } = made.pop() ?? { units: { read: Number.NaN, write: Number.NaN } };
    if ("error" in real || "error" in ours) {
      if (!("error" in real && "error" in ours)) throw new Error(`${name}: only one of both refused: ${JSON.stringify({ real, ours })}`);
      throw ours.error;
    }
    if (name === "DescribeTableCommand") return ours.output;
    const expected = consumedBy(name, command.input, real.output);
    if (expected !== undefined && expected !== units.read + units.write)
      throw new Error(`${name} consumed ${expected} units and not ${JSON.stringify(units)}: ${JSON.stringify(command.input)}`);
    for (const part of ["Item", "Items", "Attributes", "Count"])
      if (!isDeepStrictEqual(sorted(real.output[part]), sorted(ours.output[part])))
        throw new Error(`${name} gave another ${part}: ${JSON.stringify([real.output[part], ours.output[part]])}`);
    if (expected !== undefined) compared[name] = (compared[name] ?? 0) + 1;
    return ours.output;
  };
  const send = (command: Sent, options: object): Promise<unknown> => turns.do(() => both(command, options));
  return { client: { send: send as TableAccess["client"]["send"] }, table };
}

/** Returns a copy in which the order of a set's members does not matter. */
const sorted = (value: unknown): unknown =>
  value === undefined
    ? undefined
    : JSON.parse(JSON.stringify(value, (_name, each: unknown) => (each instanceof Set ? [...each].sort() : each)));

/**
 * Returns the units that a call should have consumed. The emulator says so for writes. It does not look at how large what it reads is, so
 * those are computed from what it has read, if that is all in the response.
 */
function consumedBy(name: string, input: Record<string, unknown>, output: Record<string, unknown>): number | undefined {
  if (!/^(?:Get|Query|BatchGet)/.test(name))
    return [output["ConsumedCapacity"] as Consumed | Consumed[]].flat().reduce((sum, each) => sum + (each?.CapacityUnits ?? 0), 0);
  const blocks = (bytes: number, isConsistent: unknown): number => Math.max(1, Math.ceil(bytes / 4096)) * (isConsistent ? 1 : 0.5);
  const items = (output["Items"] ?? []) as Record<string, unknown>[];
  if (name === "GetCommand") return blocks(itemBytes((output["Item"] ?? {}) as Record<string, unknown>), input["ConsistentRead"]);
  if (
    name === "QueryCommand" &&
    !("FilterExpression" in input || "ProjectionExpression" in input || "Select" in input || "IndexName" in input)
  )
    return blocks(
      items.reduce((sum, item) => sum + itemBytes(item), 0),
      input["ConsistentRead"],
    );
  return undefined;
}

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
  const base = new DynamoDBClient({
    endpoint: inject("ministackUrl"),
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  ledgerContract(async () => ledgerOn(lockstep(await newTable(base))));
  afterAll(() => {
    for (const name of ["Get", "Query", "Put", "Update", "TransactWrite"]) expect(compared[`${name}Command`], name).toBeGreaterThan(20);
  });
});
