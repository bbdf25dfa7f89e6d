/** The jobs in one bin: shapes and the count of each, in the order in which they are placed. */
export type Load = { readonly shapes: readonly number[]; readonly counts: readonly number[] };
