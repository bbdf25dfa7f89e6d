/** An instance that never became a worker: it did not call in time, or ended before it did, and nobody had asked for that. */
export type BootFailure = { readonly node: string; readonly instanceType: string; readonly zone: string; readonly atMs: number };
