import { Fault } from "../model/fault.ts";

export type Page<T> = { readonly items: readonly T[] | undefined; readonly next: string | undefined };

/** No list that we read is longer; an answer that never ends is a fault of the other side. */
const mostPages = 500;

/** Reads a paged list to its end. `ask` gets the token of the page before, and undefined first. */
export async function allPages<T>(ask: (token: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  let token: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const { items, next } = await ask(token);
    all.push(...(items ?? []));
    if (!next) return all;
    token = next;
  }
  throw new Fault("endless-list", `A list had more than ${mostPages} pages`);
}
