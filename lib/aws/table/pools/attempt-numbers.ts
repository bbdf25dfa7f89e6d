import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import { FleetError } from "../../../model/fleet-error.ts";
import { attemptsPerRestore } from "../../../model/job.ts";
import { call, type TableAccess, updateItem } from "../access.ts";
import { setOnce } from "../expression.ts";
import { firstTableKey } from "../keys.ts";
import { itemName } from "../stored.ts";

/** Returns the least number with which an attempt of a job that was submitted then, in ms since the epoch, may begin now. */
export type FirstAttempt = (submittedAtMs: number) => Promise<number>;

/** A table cannot be restored in less time, so what was read of it still holds. */
const rereadMs = 60_000;

type Created = { readonly atMs: number; readonly firstAtMs: number };

/**
 * Returns a function that reads which numbers new attempts may have. In a table that was restored from a backup, jobs lack the attempts that
 * began after the backup, but workers, logs and sealed files still have their numbers. So attempts in such a table begin with a number
 * above all of these: 100,000 for each second between the creation of the first table and of this one. The first table's attempts begin
 * with 1. A backup does not contain when its own table was created, so copies that were made in different seconds differ.
 */
export function createFirstAttempt(access: TableAccess, now: () => number): FirstAttempt {
  let read: { readonly created: Promise<Created>; readonly atMs: number } | undefined;
  const created = (): Promise<Created> => {
    if (read && now() - read.atMs < rereadMs) return read.created;
    const mine = { created: createdOf(access), atMs: now() };
    read = mine;
    mine.created.catch(() => {
      if (read === mine) read = undefined;
    });
    return mine.created;
  };
  return async (submittedAtMs) => {
    const { atMs, firstAtMs } = await created();
    // A job that is older than the table is from a backup, even if nothing had begun by then and so nothing says when the first table
    // was created.
    const seconds = Math.ceil((atMs - Math.min(firstAtMs, submittedAtMs)) / 1_000);
    return 1 + Math.max(0, seconds) * attemptsPerRestore;
  };
}

async function createdOf(access: TableAccess): Promise<Created> {
  const atMs = await creationOf(access);
  const { item } = await updateItem(access, firstTableKey, { changes: [setOnce("createdAtMs", atMs)] });
  const firstAtMs = Number(item["createdAtMs"]);
  // With an invalid time, or a later one, numbers could be given twice.
  if (!(firstAtMs <= atMs)) throw new FleetError("table-unknown", `the item ${itemName(firstTableKey)} has an invalid createdAtMs`);
  return { atMs, firstAtMs };
}

async function creationOf({ client, table }: TableAccess): Promise<number> {
  const { Table } = await call((options) => client.send(new DescribeTableCommand({ TableName: table }), options));
  if (!Table?.CreationDateTime) throw new FleetError("table-unknown", `DynamoDB does not say when the table ${table} was created`);
  return Table.CreationDateTime.getTime();
}
