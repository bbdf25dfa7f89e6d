import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import { FleetError } from "../../../model/fleet-error.ts";
import { call, type TableAccess, updateItem } from "../access.ts";
import { setOnce } from "../expression.ts";
import { firstTableKey } from "../keys.ts";

/** Returns the least number that an attempt which begins now may have. */
export type FirstAttempt = () => Promise<number>;

/** How many attempts a job may have in one generation before its numbers reach into those of the next second. */
const attemptsPerGeneration = 100_000;
/** A table cannot be restored in less time, so what was read of it still holds. */
const rereadMs = 60_000;

/**
 * Returns a function that reads which numbers new attempts may have. In a table that was restored from a backup, jobs lack the attempts that
 * began after the backup, but workers, logs and sealed files still have their numbers. So attempts in such a table begin with a number
 * above all of these: 100,000 for each second between the creation of the first table and of this one. The first table's attempts begin
 * with 1. A backup does not contain when its own table was created, and so no copy of a table can have the same numbers as another one.
 */
export function createFirstAttempt(access: TableAccess, now: () => number): FirstAttempt {
  let read: { readonly first: Promise<number>; readonly atMs: number } | undefined;
  return () => {
    if (!read || now() - read.atMs >= rereadMs) {
      const first = firstAttemptOf(access);
      const mine = { first, atMs: now() };
      read = mine;
      first.catch(() => {
        if (read === mine) read = undefined;
      });
    }
    return read.first;
  };
}

async function firstAttemptOf(access: TableAccess): Promise<number> {
  const createdAtMs = await creationOf(access);
  const { item } = await updateItem(access, firstTableKey, { changes: [setOnce("createdAtMs", createdAtMs)] });
  const seconds = Math.ceil((createdAtMs - Number(item["createdAtMs"])) / 1_000);
  // A negative or invalid number of seconds would repeat numbers.
  if (!(seconds >= 0))
    throw new FleetError("broken-item", `the table was created at ${createdAtMs} ms, before its first copy (${item["createdAtMs"]} ms)`);
  return 1 + seconds * attemptsPerGeneration;
}

async function creationOf({ client, table }: TableAccess): Promise<number> {
  const { Table } = await call((options) => client.send(new DescribeTableCommand({ TableName: table }), options));
  if (!Table?.CreationDateTime) throw new FleetError("table-unknown", `DynamoDB does not say when the table ${table} was created`);
  return Table.CreationDateTime.getTime();
}
