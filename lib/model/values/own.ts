/**
 * Returns what a record has under a name that people choose, such as that of a team; undefined if it has nothing of its own there. A plain
 * look-up would find what every object inherits: a team may be called `constructor`.
 */
export const own = <V>(record: Readonly<Record<string, V>> | undefined, name: string | undefined): V | undefined =>
  record !== undefined && name !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
