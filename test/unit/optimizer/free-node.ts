import type { FreeNode } from "../../../lib/optimizer/problem/problem.ts";

/** Returns an existing node without GPUs that has this room. */
export const freeNode = (name: string, room: readonly number[], over: Partial<FreeNode> = {}): FreeNode => ({
  name,
  room,
  type: "t",
  zone: "z",
  market: "on-demand",
  ...over,
});
