/** A user of this machine, as whom jobs run. */
export type User = { readonly uid: number; readonly gid: number };
