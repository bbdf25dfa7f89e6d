/** What one bin holds: shapes, and how many of each, in the order in which they find their places. */
export type Load = { readonly shapes: readonly number[]; readonly counts: readonly number[] };
