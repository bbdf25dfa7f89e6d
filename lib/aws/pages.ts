import { FleetError } from "../model/fleet-error.ts";

export type Page<T> = { readonly items: readonly T[] | undefined; readonly next: string | undefined };

/** The most pages of a list. No list that is read here is longer, so an endless one is an error of the other side. */
const maxPages = 500;

/** Returns all items of a paged list. `fetchPage` receives the token of the previous page, or undefined for the first page. */
export async function allPages<T>(fetchPage: (token: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  let token: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const { items, next } = await fetchPage(token);
    all.push(...(items ?? []));
    if (!next) return all;
    token = next;
  }
  throw new FleetError("endless-list", `A list had more than ${maxPages} pages`);
}
